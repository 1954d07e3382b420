/** Room for what is added: as near as can be to where it was wanted, on no other card. */
import type { Point } from "./document";
import { overlaps, type Box } from "./groups";

const GAP = 24;
/** Beside a card is a little further away than below it: cards stand in columns. */
const SIDEWAYS = 1.5;
const MOST_TRIES = 400;

/** Where the top left corner of something goes that is `size` large. */
export function freePlace(wish: Point, [width, height]: Point, taken: readonly Box[]): Point {
  const seen = new Set<string>();
  const open: Point[] = [wish];
  for (let tries = 0; tries < MOST_TRIES && open.length > 0; tries += 1) {
    const [x, y] = takeNearest(open, wish);
    const hit = taken.find((box) => overlaps({ x, y, width, height }, box));
    if (hit === undefined) return [x, y];
    for (const next of around(hit, [x, y], [width, height]))
      if (!seen.has(String(next))) {
        seen.add(String(next));
        open.push(next);
      }
  }
  return wish;
}

/** The places right beside a card that is in the way: below, above, right and left of it. */
function around(box: Box, [x, y]: Point, [width, height]: Point): Point[] {
  return [
    [x, box.y + box.height + GAP],
    [x, box.y - height - GAP],
    [box.x + box.width + GAP, y],
    [box.x - width - GAP, y],
  ];
}

function takeNearest(open: Point[], [x, y]: Point): Point {
  const far = ([left, top]: Point) => SIDEWAYS * Math.abs(left - x) + Math.abs(top - y);
  const best = open.reduce((least, place, at) => (far(place) < far(open[least] ?? place) ? at : least), 0);
  return open.splice(best, 1)[0] ?? [x, y];
}
