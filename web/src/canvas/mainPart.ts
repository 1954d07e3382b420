import type { Bounds } from "./minimapScale";

/** Of boxes that no view can show at once, those that are seen together with the most central one. */
export function mainPart(boxes: readonly Bounds[], width: number, height: number): readonly Bounds[] {
  const [x, y] = [median(boxes.map((box) => box.x)), median(boxes.map((box) => box.y))];
  const awayFrom = (box: Bounds) => Math.hypot(box.x - x, box.y - y);
  const centre = boxes.reduce((best, box) => (awayFrom(box) < awayFrom(best) ? box : best));
  return boxes.filter(
    (box) => Math.abs(box.x - centre.x) <= width / 2 && Math.abs(box.y - centre.y) <= height / 2,
  );
}

/** Whether a view of this size on the middle of `all` shows none of the boxes. */
export function isMiddleBare(boxes: readonly Bounds[], all: Bounds, width: number, height: number): boolean {
  const [x, y] = [all.x + all.width / 2, all.y + all.height / 2];
  const isSeen = (box: Bounds) =>
    box.x < x + width / 2 &&
    box.x + box.width > x - width / 2 &&
    box.y < y + height / 2 &&
    box.y + box.height > y - height / 2;
  return !boxes.some(isSeen);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
