/** Placing nodes: automatically from left to right, in line, or at even distances. */
import { linkList, nodesOf, type Graph, type Point } from "./document";
import { moveNodes } from "./edit";
import { around, boxOf, guessSize, type Box, type SizeOf } from "./groups";

export const GRID = 20;
const [COLUMN_GAP, ROW_GAP] = [80, 40];

export function snap([x, y]: Point, grid = GRID): Point {
  return [Math.round(x / grid) * grid, Math.round(y / grid) * grid];
}

/** Place nodes (by default all) in layers from left to right; the top left corner stays where it is. */
export async function autoLayout<G extends Graph>(
  graph: G,
  sizeOf: SizeOf = guessSize,
  ids: readonly string[] = Object.keys(nodesOf(graph)),
): Promise<G> {
  const boxes = boxesOf(graph, ids, sizeOf);
  if (boxes.size === 0) return graph;
  const places = await layered(graph, boxes);
  const [left, top] = corner([...boxes.values()]);
  const [newLeft, newTop] = corner([...places.values()]);
  const moved = [...places].map(([id, { x, y }]): [string, Point] => [
    id,
    snap([x - newLeft + left, y - newTop + top]),
  ]);
  return moveNodes(graph, new Map(moved));
}

/** Place the nodes that have no place: below those that have one. */
export async function layOutUnplaced<G extends Graph>(graph: G, sizeOf: SizeOf = guessSize): Promise<G> {
  const all = Object.entries(nodesOf(graph));
  const ids = all.filter(([, node]) => node.ui?.position === undefined).map(([id]) => id);
  if (ids.length === 0) return graph;
  const laid = await autoLayout(graph, sizeOf, ids);
  const there = around(all.filter(([id]) => !ids.includes(id)).map(([id, node]) => boxOf(id, node, sizeOf)));
  if (there === undefined) return laid;
  const boxes = boxesOf(laid, ids, sizeOf);
  const [left, top] = corner([...boxes.values()]);
  const [dx, dy] = [there.x - left, there.y + there.height + COLUMN_GAP - top];
  const places = [...boxes].map(([id, { x, y }]): [string, Point] => [id, snap([x + dx, y + dy])]);
  return moveNodes(laid, new Map(places));
}

/** Layers by longest path, order by barycentre: Sugiyama's method, as dagre does it. */
async function layered(graph: Graph, boxes: ReadonlyMap<string, Box>): Promise<Map<string, Box>> {
  const { Graph: Layout, layout } = await import("@dagrejs/dagre");
  const plan = new Layout({ multigraph: false }).setGraph({
    rankdir: "LR",
    ranksep: COLUMN_GAP,
    nodesep: ROW_GAP,
  });
  const alias = new Map([...boxes.keys()].map((id, index) => [id, `n${index}`])); // dagre trips over `constructor`
  const nameOf = (id: string): string => alias.get(id) ?? "";
  for (const [id, { width, height }] of boxes) plan.setNode(nameOf(id), { width, height });
  for (const target of boxes.keys())
    for (const links of Object.values(nodesOf(graph)[target]?.links ?? {}))
      for (const [source] of linkList(links))
        if (boxes.has(source)) plan.setEdge(nameOf(source), nameOf(target), {});
  layout(plan);
  return new Map(
    [...boxes].map(([id, box]) => {
      const { x = 0, y = 0 } = plan.node(nameOf(id));
      return [id, { ...box, x: x - box.width / 2, y: y - box.height / 2 }];
    }),
  );
}

function boxesOf(graph: Graph, ids: Iterable<string>, sizeOf: SizeOf): Map<string, Box> {
  const boxes = new Map<string, Box>();
  for (const id of ids) {
    const node = nodesOf(graph)[id];
    if (node) boxes.set(id, boxOf(id, node, sizeOf));
  }
  return boxes;
}

function corner(boxes: readonly Box[]): Point {
  return [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
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
