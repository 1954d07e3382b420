import { useRef, useState, type PointerEvent, type WheelEvent } from "react";
import { t } from "@/strings";

interface View {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

const WHOLE: View = { zoom: 1, x: 0, y: 0 };
const [LEAST, MOST, STEP] = [1, 40, 1.25];

/** A picture to look into: wheel and buttons zoom, dragging moves. Large pixels stay sharp. */
export function ZoomStage({
  address,
  name,
  pixels = false,
}: {
  address: string;
  name: string;
  /** Whether pixels are to be seen as such from the start. */
  pixels?: boolean;
}) {
  const [view, setView] = useState(WHOLE);
  const held = useRef<{ x: number; y: number } | undefined>(undefined);
  const zoomBy = (factor: number) => setView((before) => zoomed(before, factor));
  const wheel = (event: WheelEvent) => zoomBy(event.deltaY < 0 ? STEP : 1 / STEP);
  const drag = (event: PointerEvent) => {
    if (held.current === undefined) return;
    const [dx, dy] = [event.clientX - held.current.x, event.clientY - held.current.y];
    held.current = { x: event.clientX, y: event.clientY };
    setView(({ zoom, x, y }) => ({ zoom, x: x + dx, y: y + dy }));
  };
  return (
    <div className="zoom">
      <div
        className="zoom-stage"
        onWheel={wheel}
        onDoubleClick={() => setView(WHOLE)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          held.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerMove={drag}
        onPointerUp={() => (held.current = undefined)}
      >
        <img
          src={address}
          alt={name}
          draggable={false}
          className={pixels || view.zoom > 3 ? "pixels" : ""}
          style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}
        />
      </div>
      <div className="row zoom-buttons">
        <button aria-label={t("zoomOut")} onClick={() => zoomBy(1 / STEP)}>
          −
        </button>
        <span className="quiet">{Math.round(view.zoom * 100)} %</span>
        <button aria-label={t("zoomIn")} onClick={() => zoomBy(STEP)}>
          +
        </button>
        <button onClick={() => setView(WHOLE)}>{t("fitView")}</button>
      </div>
    </div>
  );
}

function zoomed({ zoom, x, y }: View, factor: number): View {
  const next = Math.min(MOST, Math.max(LEAST, zoom * factor));
  return next === LEAST ? WHOLE : { zoom: next, x: (x * next) / zoom, y: (y * next) / zoom };
}
