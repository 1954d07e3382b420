import { encode } from "fast-png";
import { sinceCleared, stepsAfter, type MaskStep, type Place, type Stroke } from "@/model/maskSteps";
import { layer, pixelsOf } from "./pixels";

/** How a mask is shown over its picture: stripes of black and white are seen on any. */
export const LOOKS = {
  stripes: undefined,
  red: "#ff3050",
  green: "#2ee66b",
  blue: "#3d8bff",
} as const;
export type Look = keyof typeof LOOKS;

/** A picture and its mask, which is the opacity of a layer of the picture's size. */
export class MaskBoard {
  readonly width: number;
  readonly height: number;
  private readonly begun: CanvasRenderingContext2D;
  private readonly mask: CanvasRenderingContext2D;
  /** Of the picture as it is under any mask. */
  private readonly colours: Uint8ClampedArray<ArrayBuffer>;
  private done: readonly MaskStep[] = [];

  constructor(picture: ImageBitmap) {
    [this.width, this.height] = [picture.width, picture.height];
    this.begun = layer(this.width, this.height);
    fill(this.begun, "source-over");
    this.begun.globalCompositeOperation = "destination-out";
    this.begun.drawImage(picture, 0, 0);
    this.mask = layer(this.width, this.height);
    this.mask.lineCap = "round";
    this.colours = pixelsOf(picture);
    for (let at = 3; at < this.colours.length; at += 4) this.colours[at] = 255;
    this.beginAnew();
  }

  /** Do what these steps say and no more, from the mask that the picture came with. */
  bring(steps: readonly MaskStep[]): void {
    const further = stepsAfter(this.done, steps);
    if (further === undefined) this.beginAnew();
    for (const step of further ?? sinceCleared(steps)) this.take(step);
    this.done = steps;
  }

  /** A piece of a stroke while it is drawn. */
  paint(from: Place, to: Place, { width, erase }: Omit<Stroke, "places">): void {
    this.mask.globalCompositeOperation = erase ? "destination-out" : "source-over";
    this.mask.lineWidth = width;
    this.mask.beginPath();
    this.mask.moveTo(...from);
    this.mask.lineTo(to[0] + 0.01, to[1]); // a line of no length would not be drawn
    this.mask.stroke();
  }

  /** Say that the last of these steps was painted while it was drawn. */
  painted(steps: readonly MaskStep[]): void {
    this.done = steps;
  }

  /** Show the picture on a canvas, whole. */
  showPicture(view: HTMLCanvasElement): void {
    [view.width, view.height] = [this.width, this.height];
    view.getContext("2d")?.putImageData(new ImageData(this.colours, this.width), 0, 0);
  }

  /** Show the mask on a canvas, in its size on the screen. */
  show(view: HTMLCanvasElement, look: Look): void {
    const { width, height } = view.getBoundingClientRect();
    view.width = Math.round(width * devicePixelRatio);
    view.height = Math.round(height * devicePixelRatio);
    const context = view.getContext("2d");
    if (context === null) return;
    context.drawImage(this.mask.canvas, 0, 0, view.width, view.height);
    context.fillStyle = LOOKS[look] ?? stripes(context);
    fill(context, "source-in");
  }

  /** A PNG of the picture whose masked parts are transparent, their colours kept. */
  asFile(): Blob {
    const { width, height } = this;
    const data = this.colours.slice();
    const mask = this.mask.getImageData(0, 0, width, height).data;
    for (let at = 3; at < data.length; at += 4) data[at] = 255 - (mask[at] ?? 0);
    const png = encode({ width, height, data, channels: 4 });
    return new Blob([png as Uint8Array<ArrayBuffer>], { type: "image/png" });
  }

  private beginAnew(): void {
    this.mask.globalCompositeOperation = "copy";
    this.mask.drawImage(this.begun.canvas, 0, 0);
  }

  private take(step: MaskStep): void {
    if (step.kind === "clear") this.mask.clearRect(0, 0, this.width, this.height);
    else if (step.kind === "invert") fill(this.mask, "source-out");
    else
      step.places.forEach((place, index) =>
        this.paint(step.places[Math.max(0, index - 1)] ?? place, place, step),
      );
  }
}

/** Fill a layer; with `source-out` what was opaque becomes transparent, and the other way round. */
function fill(context: CanvasRenderingContext2D, how: GlobalCompositeOperation): void {
  context.globalCompositeOperation = how;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

const STRIPE = 5;

function stripes(on: CanvasRenderingContext2D): CanvasPattern {
  const half = Math.round(STRIPE * devicePixelRatio);
  const tile = layer(2 * half, 2 * half);
  tile.fillStyle = "#fff";
  fill(tile, "source-over");
  tile.fillStyle = "#000";
  tile.fill(new Path2D(`M0 0H${half}L0 ${half}ZM${2 * half} 0V${half}L${half} ${2 * half}H0Z`));
  const pattern = on.createPattern(tile.canvas, "repeat");
  if (pattern === null) throw new Error("this browser has no patterns");
  return pattern;
}
