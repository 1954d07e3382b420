/** Between places of the workflow and places of the map. */
export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface Bounds extends Box {
  readonly x: number;
  readonly y: number;
}

/** The place of the workflow in the corner of the map, and how many of its pixels are one of the map. */
export interface Scale {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const MARGIN = 8;
const EMPTY: Bounds = { x: 0, y: 0, width: 1000, height: 700 };

/** What the map shows: all of `boxes`, and as much beside them as its shape asks for. */
export function fitBounds(boxes: readonly Bounds[], map: Box): Scale {
  const { x, y, width, height } = boxes.length === 0 ? EMPTY : around(boxes);
  const inner = { width: map.width - 2 * MARGIN, height: map.height - 2 * MARGIN };
  const scale = Math.max(width / inner.width, height / inner.height, 1);
  const [wide, high] = [map.width * scale, map.height * scale];
  return { x: x - (wide - width) / 2, y: y - (high - height) / 2, scale };
}

/** The smallest box round boxes. */
export function around(boxes: readonly Bounds[]): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of boxes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function toMap(from: Scale, { x, y, width, height }: Bounds): Bounds {
  const { scale } = from;
  return { x: (x - from.x) / scale, y: (y - from.y) / scale, width: width / scale, height: height / scale };
}

/** The part of a box that lies on the map. */
export function onMap({ x, y, width, height }: Bounds, map: Box): Bounds {
  const [left, top] = [Math.min(Math.max(0, x), map.width), Math.min(Math.max(0, y), map.height)];
  const right = Math.min(Math.max(left, x + width), map.width);
  const bottom = Math.min(Math.max(top, y + height), map.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function toFlow({ x, y, scale }: Scale, at: { x: number; y: number }): { x: number; y: number } {
  return { x: x + at.x * scale, y: y + at.y * scale };
}
