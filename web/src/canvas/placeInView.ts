import { nodesOf, type Point } from "@/model/document";
import { currentGraph } from "@/state/documents";

const BESIDE = 32;
let middle: () => Point = () => [0, 0];

/** The canvas says where the middle of what it shows is. */
export function provideMiddle(find: () => Point): void {
  middle = find;
}

/** In the middle of what is seen, a little beside nodes that were put there before. */
export function placeInView(): Point {
  const taken = Object.values(nodesOf(currentGraph())).map((node) => node.ui?.position ?? [0, 0]);
  let [x, y] = middle().map(Math.round) as unknown as Point;
  while (taken.some(([left, top]) => left === x && top === y)) [x, y] = [x + BESIDE, y + BESIDE];
  return [x, y];
}
