import type { Point } from "@/model/document";

/** A place in the window. */
export interface WindowPoint {
  readonly x: number;
  readonly y: number;
}

let canvasPoint: (place?: WindowPoint) => Point = () => [0, 0];

/** The canvas says where on it a place in the window is, and else where the middle of what it shows is. */
export function provideView(find: (place?: WindowPoint) => Point): void {
  canvasPoint = find;
}

/** At a place in the window, else in the middle of what is seen. */
export const placeInView = (place?: WindowPoint): Point => canvasPoint(place);
