/** Frames around nodes. A frame holds what lies inside it; nothing else ties nodes to it. */
import { nodesOf, withField, type Graph, type Group, type NodeEntry, type Point } from "./document";
import { moveNodes } from "./edit";

export const PADDING = 20;
export const TITLE_HEIGHT = 32;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How large a node is drawn; cards measure themselves, so the editor says. */
export type SizeOf = (id: string, node: NodeEntry) => Point;

export const guessSize: SizeOf = (_id, node) => node.ui?.size ?? [220, 120];

export function boxOf(id: string, node: NodeEntry, sizeOf: SizeOf): Box {
  const [x, y] = node.ui?.position ?? [0, 0];
  const [width, height] = sizeOf(id, node);
  return { x, y, width, height };
}

/** The smallest box around boxes. */
export function around(boxes: readonly Box[]): Box | undefined {
  if (boxes.length === 0) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

export function groupsOf(graph: Graph): readonly Group[] {
  return graph.ui?.groups ?? [];
}

export function withGroups<G extends Graph>(graph: G, groups: readonly Group[]): G {
  return withField(graph, "ui", withField(graph.ui ?? {}, "groups", groups));
}

/** Put a frame around nodes. */
export function addGroup<G extends Graph>(
  graph: G,
  group: { id: string; title: string },
  ids: Iterable<string>,
  sizeOf: SizeOf = guessSize,
): G {
  const nodes = nodesOf(graph);
  const boxes = [...ids].flatMap((id) => (nodes[id] ? [boxOf(id, nodes[id], sizeOf)] : []));
  if (boxes.length === 0) return graph;
  const { x, y, width, height } = framed(boxes);
  return withGroups(graph, [...groupsOf(graph), { ...group, position: [x, y], size: [width, height] }]);
}

/** The frame around boxes, with its margin and its title. */
export function framed(boxes: readonly Box[]): Box {
  const { x, y, width, height } = around(boxes) ?? { x: 0, y: 0, width: 0, height: 0 };
  return {
    x: x - PADDING,
    y: y - PADDING - TITLE_HEIGHT,
    width: width + 2 * PADDING,
    height: height + 2 * PADDING + TITLE_HEIGHT,
  };
}

/** The height of a frame as it is drawn: cards that lie in it with all their rows grow with what they show. */
export function grownHeight(graph: Graph, group: Group, rowsSize: SizeOf, sizeOf: SizeOf): number {
  const [left, top] = group.position;
  const [right, bottom] = [left + group.size[0], top + group.size[1]];
  const ends = Object.entries(nodesOf(graph)).flatMap(([id, node]) => {
    const { x, y, width, height } = boxOf(id, node, rowsSize);
    const isInside = x >= left && x + width <= right && y >= top && y + height <= bottom;
    return isInside ? [y + sizeOf(id, node)[1] + PADDING] : [];
  });
  return Math.max(bottom, ...ends) - top;
}

export function updateGroup<G extends Graph>(graph: G, id: string, patch: Partial<Group>): G {
  const groups = groupsOf(graph).map((group) => (group.id === id ? { ...group, ...patch } : group));
  return withGroups(graph, groups);
}

export function removeGroup<G extends Graph>(graph: G, id: string): G {
  const left = groupsOf(graph).filter((group) => group.id !== id);
  return left.length === groupsOf(graph).length ? graph : withGroups(graph, left);
}

/** Ids of the nodes whose middle lies inside a frame. */
export function nodesInGroup(graph: Graph, group: Group, sizeOf: SizeOf = guessSize): string[] {
  return Object.entries(nodesOf(graph))
    .filter(([id, node]) => holds(group, boxOf(id, node, sizeOf)))
    .map(([id]) => id);
}

function holds(group: Group, box: Box): boolean {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const [left, top] = group.position;
  return x >= left && x <= left + group.size[0] && y >= top && y <= top + group.size[1];
}

/** Move a frame with the nodes inside it. */
export function moveGroup<G extends Graph>(graph: G, id: string, position: Point, sizeOf = guessSize): G {
  const group = groupsOf(graph).find((one) => one.id === id);
  if (group === undefined) return graph;
  const [dx, dy] = [position[0] - group.position[0], position[1] - group.position[1]];
  const places = new Map<string, Point>();
  for (const node of nodesInGroup(graph, group, sizeOf)) {
    const [x, y] = nodesOf(graph)[node]?.ui?.position ?? [0, 0];
    places.set(node, [x + dx, y + dy]);
  }
  return updateGroup(moveNodes(graph, places), id, { position });
}

export function overlaps(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}
