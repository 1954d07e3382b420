import { useEffect, useRef, useState, type PointerEvent, type WheelEvent } from "react";
import { t } from "@/strings";

interface View {
  /** 1 where the whole picture just fits. */
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

const WHOLE: View = { zoom: 1, x: 0, y: 0 };
const [MOST, STEP] = [40, 1.25];

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
  const image = useRef<HTMLImageElement>(null);
  const { fit, measure } = useFit(image);
  const zoomTo = (zoom: number) => setView((before) => zoomed(before, zoom, fit));
  const zoomBy = (factor: number) => setView((before) => zoomed(before, before.zoom * factor, fit));
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
          ref={image}
          src={address}
          onLoad={measure}
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
        <span className="quiet">{t("percent", { value: Math.round(view.zoom * fit * 100) })}</span>
        <button aria-label={t("zoomIn")} onClick={() => zoomBy(STEP)}>
          +
        </button>
        <button onClick={() => setView(WHOLE)}>{t("fitView")}</button>
        <button title={t("actualSizeHelp")} onClick={() => zoomTo(1 / fit)}>
          {t("actualSize")}
        </button>
      </div>
    </div>
  );
}

/** Pixels of the screen for a pixel of the picture where the whole of it just fits. */
function useFit(image: React.RefObject<HTMLImageElement | null>) {
  const [fit, setFit] = useState(1);
  const [measure] = useState(() => () => {
    const { naturalWidth, naturalHeight, clientWidth, clientHeight } = image.current ?? new Image();
    if (naturalWidth > 0) setFit(Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight));
  });
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (image.current) observer.observe(image.current);
    return () => observer.disconnect();
  }, [image, measure]);
  return { fit, measure };
}

/** Zoomed about the middle; not below the whole picture, or its own size where that is smaller. */
function zoomed({ zoom, x, y }: View, wanted: number, fit: number): View {
  const least = Math.min(1, 1 / fit);
  const next = Math.min(Math.max(MOST, 1 / fit), Math.max(least, wanted));
  return next <= 1 ? { ...WHOLE, zoom: next } : { zoom: next, x: (x * next) / zoom, y: (y * next) / zoom };
}
