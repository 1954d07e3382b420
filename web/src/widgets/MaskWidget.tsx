import { useEffect, useRef, useState, type PointerEvent } from "react";
import { announce } from "@/state/announcer";
import { t } from "@/strings";
import type { WidgetProps } from "./registry";
import { inputUrl, upload } from "./uploads";

const SIDE = 256;

/** Paints a mask and keeps it as an input picture: white is masked. */
export default function MaskWidget({ input, value, onChange }: WidgetProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<[number, number]>(undefined);
  const [brush, setBrush] = useState(24);
  const [erase, setErase] = useState(false);
  useMaskPicture(canvas, typeof value === "string" ? value : "");
  const paint = (event: PointerEvent<HTMLCanvasElement>) => {
    const context = canvas.current?.getContext("2d");
    if (!context || !last.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    const to: [number, number] = [
      ((event.clientX - box.left) / box.width) * SIDE,
      ((event.clientY - box.top) / box.height) * SIDE,
    ];
    stroke(context, last.current[0] < 0 ? to : last.current, to, brush, erase);
    last.current = to;
  };
  const keep = async () => {
    last.current = undefined;
    const blob = await new Promise<Blob | null>((done) => canvas.current?.toBlob(done, "image/png"));
    if (!blob) return;
    try {
      onChange(await upload(blob, "mask.png"));
    } catch (error) {
      announce(t("saidUploadFailed", { why: error instanceof Error ? error.message : String(error) }));
    }
  };
  return (
    <div className="mask-widget">
      <canvas
        ref={canvas}
        width={SIDE}
        height={SIDE}
        aria-label={input.name}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = [-1, -1];
          paint(event);
        }}
        onPointerMove={paint}
        onPointerUp={() => void keep()}
      />
      <div className="mask-tools">
        <input
          type="range"
          min={2}
          max={96}
          value={brush}
          aria-label={t("brushSize")}
          onChange={(event) => setBrush(event.target.valueAsNumber)}
        />
        <button aria-pressed={erase} onClick={() => setErase(!erase)}>
          {t("erase")}
        </button>
      </div>
    </div>
  );
}

type Place = readonly [number, number];

function stroke(context: CanvasRenderingContext2D, from: Place, to: Place, width: number, erase: boolean): void {
  context.strokeStyle = erase ? "#000" : "#fff";
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(to[0] + 0.01, to[1]);
  context.stroke();
}

/** Show the mask that was kept; black where there is none. */
function useMaskPicture(canvas: React.RefObject<HTMLCanvasElement | null>, name: string): void {
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    if (name === "") return context.fillRect(0, 0, SIDE, SIDE);
    const picture = new Image();
    picture.onload = () => context.drawImage(picture, 0, 0, SIDE, SIDE);
    picture.src = inputUrl(name);
    return () => {
      picture.onload = null;
    };
  }, [canvas, name]);
}
