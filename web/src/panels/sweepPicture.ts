/** The grid of a sweep as one picture, with the values of each cell over it. */
import { download } from "@/files/exporting";

export interface Tile {
  readonly label: string;
  /** Its index across, then down. */
  readonly place: readonly number[];
  readonly url?: string;
}

const TEXT = 28;
const GAP = 8;
/** Browsers draw no larger pictures than this along a side. */
const LONGEST = 8192;

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly at: (place: readonly number[]) => readonly [x: number, y: number];
}

/** Where the cells of a grid go, for pictures of up to `width` by `height` pixels; smaller where all are too many. */
export function layoutOf(places: readonly (readonly number[])[], width: number, height: number): Layout {
  const [columns, rows] = [0, 1].map((axis) => Math.max(...places.map((place) => place[axis] ?? 0)) + 1);
  const count = { x: columns ?? 1, y: rows ?? 1 };
  const room = (cells: number, extra: number) => LONGEST / cells - GAP - extra;
  const scale = Math.min(1, room(count.x, 0) / width, room(count.y, TEXT) / height);
  const cell = { x: Math.floor(width * scale) + GAP, y: Math.floor(height * scale) + TEXT + GAP };
  return {
    width: cell.x * count.x,
    height: cell.y * count.y,
    scale,
    at: ([x = 0, y = 0]) => [x * cell.x, y * cell.y],
  };
}

/** Let a person save the grid as a PNG. */
export async function saveGrid(tiles: readonly Tile[]): Promise<void> {
  const drawn = await Promise.all(tiles.map(async (tile) => ({ ...tile, image: await loaded(tile.url) })));
  const sides = (side: "width" | "height") => Math.max(...drawn.map(({ image }) => image?.[side] ?? 1), 96);
  const layout = layoutOf(
    tiles.map(({ place }) => place),
    sides("width"),
    sides("height"),
  );
  const canvas = new OffscreenCanvas(layout.width, layout.height);
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("a canvas that nobody drew on can be drawn on");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, layout.width, layout.height);
  pen.fillStyle = "black";
  pen.font = "14px sans-serif";
  for (const { label, place, image } of drawn) {
    const [x, y] = layout.at(place);
    pen.fillText(label, x + GAP / 2, y + 18, sides("width") * layout.scale);
    if (image) pen.drawImage(image, x, y + TEXT, image.width * layout.scale, image.height * layout.scale);
  }
  download("sweep.png", "image/png", await canvas.convertToBlob({ type: "image/png" }));
}

async function loaded(url: string | undefined): Promise<HTMLImageElement | undefined> {
  if (url === undefined) return undefined;
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
