import { nodesOf, type Point } from "@/model/document";
import { currentGraph } from "@/state/documents";

/** A place in the window. */
export interface WindowPoint {
  readonly x: number;
  readonly y: number;
}

const BESIDE = 32;
let canvasPoint: (place?: WindowPoint) => Point = () => [0, 0];

/** The canvas says where on it a place in the window is, and else where the middle of what it shows is. */
export function provideView(find: (place?: WindowPoint) => Point): void {
  canvasPoint = find;
}

/** At a place in the window, else in the middle of what is seen; a little beside nodes that were put there before. */
export function placeInView(place?: WindowPoint): Point {
  const taken = Object.values(nodesOf(currentGraph())).map((node) => node.ui?.position ?? [0, 0]);
  let [x, y] = canvasPoint(place).map(Math.round) as unknown as Point;
  while (taken.some(([left, top]) => left === x && top === y)) [x, y] = [x + BESIDE, y + BESIDE];
  return [x, y];
}
