import { useEffect, useRef, useState, type PointerEvent } from "react";
import { tell } from "@/state/announcer";
import { t } from "@/strings";
import { inputUrl, upload } from "./uploads";

interface Props {
  /** The input picture that is masked. */
  name: string;
  /** Gets the name of the picture with its mask. */
  onKeep: (name: string) => void;
  onClose: () => void;
}

type Place = readonly [x: number, y: number];

/**
 * Paints the mask of a picture: what is painted becomes transparent, which is what nodes read as its mask.
 *
 * The picture is kept as a new input; the one it was made from stays.
 */
export default function MaskPainter({ name, onKeep, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Place>(undefined);
  const [brush, setBrush] = useState(32);
  const [erase, setErase] = useState(false);
  const picture = usePicture(name, canvas);
  useEffect(() => dialog.current?.showModal(), []);
  const placeOf = (event: PointerEvent<HTMLCanvasElement>): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = event.currentTarget.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  const paint = (event: PointerEvent<HTMLCanvasElement>) => {
    const context = canvas.current?.getContext("2d");
    if (!context || !last.current) return;
    const to = placeOf(event);
    stroke(context, last.current, to, brush, erase);
    last.current = to;
  };
  const keep = async () => {
    if (!picture || !canvas.current) return;
    try {
      onKeep(
        await upload(await masked(picture, canvas.current), `masked-${name.split("/").at(-1) ?? "picture"}`),
      );
      onClose();
    } catch (error) {
      tell(t("saidUploadFailed", { why: error instanceof Error ? error.message : String(error) }));
    }
  };
  return (
    <dialog
      ref={dialog}
      className="mask-painter nodrag nowheel"
      aria-label={t("paintMask")}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="mask-board">
        <img src={inputUrl(name)} alt={name} draggable={false} />
        <canvas
          ref={canvas}
          aria-label={t("paintMask")}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            last.current = placeOf(event);
            paint(event);
          }}
          onPointerMove={paint}
          onPointerUp={() => (last.current = undefined)}
        />
      </div>
      <div className="mask-tools">
        <label>
          {t("brushSize")}
          <input
            type="range"
            min={2}
            max={200}
            value={brush}
            onChange={(event) => setBrush(event.target.valueAsNumber)}
          />
        </label>
        <button aria-pressed={erase} onClick={() => setErase(!erase)}>
          {t("erase")}
        </button>
        <span className="spacer" />
        <button onClick={onClose}>{t("cancel")}</button>
        <button className="primary" onClick={() => void keep()}>
          {t("keepMask")}
        </button>
      </div>
    </dialog>
  );
}

function stroke(
  context: CanvasRenderingContext2D,
  from: Place,
  to: Place,
  width: number,
  erase: boolean,
): void {
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  context.strokeStyle = "#ff3b6b";
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(to[0] + 0.01, to[1]);
  context.stroke();
}

/** The picture once it is loaded; the canvas then has its size and shows the mask that it has already. */
function usePicture(
  name: string,
  canvas: React.RefObject<HTMLCanvasElement | null>,
): HTMLImageElement | undefined {
  const [picture, setPicture] = useState<HTMLImageElement>();
  useEffect(() => {
    const image = new Image();
    image.onload = () => {
      if (!canvas.current) return;
      canvas.current.width = image.naturalWidth;
      canvas.current.height = image.naturalHeight;
      showMask(canvas.current, image);
      setPicture(image);
    };
    image.src = inputUrl(name);
    return () => {
      image.onload = null;
    };
  }, [name, canvas]);
  return picture;
}

function showMask(canvas: HTMLCanvasElement, image: HTMLImageElement): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = "#ff3b6b";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(image, 0, 0);
}

/** The picture with the painted parts transparent, its colours there kept. */
async function masked(picture: HTMLImageElement, mask: HTMLCanvasElement): Promise<Blob> {
  const made = new OffscreenCanvas(mask.width, mask.height);
  const context = made.getContext("2d");
  const painted = mask.getContext("2d")?.getImageData(0, 0, mask.width, mask.height);
  if (!context || !painted) throw new Error("this browser has no canvas");
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, mask.width, mask.height);
  for (let at = 3; at < pixels.data.length; at += 4) pixels.data[at] = 255 - (painted.data[at] ?? 0);
  context.putImageData(pixels, 0, 0);
  return made.convertToBlob({ type: "image/png" });
}
