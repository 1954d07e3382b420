import type { Clipping } from "@/model/clipboard";
import type { Point } from "@/model/document";
import { freePlace } from "@/model/freePlace";
import { around, boxOf } from "@/model/groups";
import { FOOT, sizeOf, takenBoxes } from "./cardSizes";

const BESIDE = 32;

/** Where the corner of what is pasted goes: near `at`, else beside where it was copied. */
export function freeCorner({ nodes, groups = [] }: Clipping, at?: Point): Point {
  const boxes = [
    ...Object.entries(nodes).map(([id, entry]) => boxOf(id, entry, sizeOf)),
    ...groups.map(({ position: [x, y], size: [width, height] }) => ({ x, y, width, height })),
  ];
  const { x, y, width, height } = around(boxes) ?? { x: 0, y: 0, width: 0, height: 0 };
  return freePlace(at ?? [x + BESIDE, y + BESIDE], [width, height + FOOT], takenBoxes());
}
