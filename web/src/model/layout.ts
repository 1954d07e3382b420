/** Placing nodes in line, or at even distances. */
import { nodesOf, type Graph, type Point } from "./document";
import { moveNodes } from "./edit";
import { boxOf, guessSize, type Box, type SizeOf } from "./groups";

export const GRID = 20;

export function snap([x, y]: Point, grid = GRID): Point {
  return [Math.round(x / grid) * grid, Math.round(y / grid) * grid];
}

export function boxesOf(graph: Graph, ids: Iterable<string>, sizeOf: SizeOf): Map<string, Box> {
  const boxes = new Map<string, Box>();
  for (const id of ids) {
    const node = nodesOf(graph)[id];
    if (node) boxes.set(id, boxOf(id, node, sizeOf));
  }
  return boxes;
}

export type Edge = "left" | "right" | "top" | "bottom" | "centre" | "middle";

/** Put nodes in line; `centre` aligns their middles on one vertical, `middle` on one horizontal. */
export function align<G extends Graph>(
  graph: G,
  ids: readonly string[],
  edge: Edge,
  sizeOf: SizeOf = guessSize,
): G {
  const boxes = boxesOf(graph, ids, sizeOf);
  if (boxes.size < 2) return graph;
  const all = [...boxes.values()];
  const left = Math.min(...all.map((box) => box.x));
  const top = Math.min(...all.map((box) => box.y));
  const right = Math.max(...all.map((box) => box.x + box.width));
  const bottom = Math.max(...all.map((box) => box.y + box.height));
  const place: Record<Edge, (box: Box) => Point> = {
    left: ({ y }) => [left, y],
    right: ({ y, width }) => [right - width, y],
    centre: ({ y, width }) => [(left + right - width) / 2, y],
    top: ({ x }) => [x, top],
    bottom: ({ x, height }) => [x, bottom - height],
    middle: ({ x, height }) => [x, (top + bottom - height) / 2],
  };
  return moveNodes(graph, new Map([...boxes].map(([id, box]) => [id, place[edge](box)])));
}

/** Make the gaps between nodes equal; the first and the last stay. */
export function distribute<G extends Graph>(
  graph: G,
  ids: readonly string[],
  axis: "horizontal" | "vertical",
  sizeOf: SizeOf = guessSize,
): G {
  const across = axis === "horizontal";
  const start = (box: Box) => (across ? box.x : box.y);
  const length = (box: Box) => (across ? box.width : box.height);
  const boxes = [...boxesOf(graph, ids, sizeOf)].sort(([, one], [, other]) => start(one) - start(other));
  const [first, last] = [boxes[0]?.[1], boxes.at(-1)?.[1]];
  if (boxes.length < 3 || first === undefined || last === undefined) return graph;
  const filled = boxes.reduce((sum, [, box]) => sum + length(box), 0);
  const gap = (start(last) + length(last) - start(first) - filled) / (boxes.length - 1);
  const places = new Map<string, Point>();
  let at = start(first);
  for (const [id, box] of boxes) {
    places.set(id, across ? [at, box.y] : [box.x, at]);
    at += length(box) + gap;
  }
  return moveNodes(graph, places);
}
