/** Placing nodes from left to right, what a frame holds together. */
import { linkList, nodesOf, type Graph, type Group, type NodeEntry, type Point } from "./document";
import { moveNodes } from "./edit";
import {
  around,
  boxOf,
  framed,
  groupsOf,
  guessSize,
  nodesInGroup,
  updateGroup,
  type Box,
  type SizeOf,
} from "./groups";
import { boxesOf, snap } from "./layout";

const [COLUMN_GAP, ROW_GAP] = [80, 40];

/** The inputs of a node as they stand on its card, from the top. */
export type InputsOf = (id: string, node: NodeEntry) => readonly string[];

const inputsWired: InputsOf = (_id, node) => Object.keys(node.links ?? {});

interface Sizes {
  readonly sizeOf?: SizeOf;
  /** The size by which frames hold nodes; what cards show besides must not make them leave. */
  readonly heldBy?: SizeOf;
  readonly inputsOf?: InputsOf;
}

/**
 * Place nodes (by default all) in layers from left to right; the top left corner stays where it is.
 *
 * What a frame holds stays together, and the frame goes where it goes. Sources stand in the order of the inputs that
 * they feed.
 */
export async function autoLayout<G extends Graph>(
  graph: G,
  { sizeOf = guessSize, heldBy = sizeOf, inputsOf = inputsWired }: Sizes = {},
  ids: readonly string[] = Object.keys(nodesOf(graph)),
): Promise<G> {
  const boxes = boxesOf(graph, ids, sizeOf);
  if (boxes.size === 0) return graph;
  const frames = framesOf(graph, heldBy, new Set(boxes.keys()));
  const wires = orderedWires(graph, boxes, inputsOf);
  const placed = await arranged({ boxes, wires }, [...boxes.keys()], frames);
  const [left, top] = corner([...boxes.values()]);
  const [newLeft, newTop] = corner([...placed].flatMap(([key, box]) => (boxes.has(key) ? [box] : [])));
  const at = ({ x, y }: Box) => snap([x - newLeft + left, y - newTop + top]);
  const moved = [...placed].flatMap(([key, box]) => (boxes.has(key) ? [[key, at(box)] as const] : []));
  let laid = moveNodes(graph, new Map(moved));
  for (const { group } of frames) {
    const box = placed.get(frameKey(group));
    if (box) laid = updateGroup(laid, group.id, { position: at(box), size: [box.width, box.height] });
  }
  return laid;
}

/** Place the nodes that have no place: below those that have one. */
export async function layOutUnplaced<G extends Graph>(graph: G, sizes: Sizes = {}): Promise<G> {
  const { sizeOf = guessSize } = sizes;
  const all = Object.entries(nodesOf(graph));
  const ids = all.filter(([, node]) => node.ui?.position === undefined).map(([id]) => id);
  if (ids.length === 0) return graph;
  const laid = await autoLayout(graph, sizes, ids);
  const there = around(all.filter(([id]) => !ids.includes(id)).map(([id, node]) => boxOf(id, node, sizeOf)));
  if (there === undefined) return laid;
  const boxes = boxesOf(laid, ids, sizeOf);
  const [left, top] = corner([...boxes.values()]);
  const [dx, dy] = [there.x - left, there.y + there.height + COLUMN_GAP - top];
  const places = [...boxes].map(([id, { x, y }]): [string, Point] => [id, snap([x + dx, y + dy])]);
  return moveNodes(laid, new Map(places));
}

/** A frame with the nodes that it holds, and the frames inside it. */
interface Framed {
  readonly group: Group;
  readonly ids: ReadonlySet<string>;
}

/** The frames that hold nothing but what is placed, the smallest first. */
function framesOf(graph: Graph, sizeOf: SizeOf, chosen: ReadonlySet<string>): Framed[] {
  const found = groupsOf(graph).map((group) => ({ group, ids: new Set(nodesInGroup(graph, group, sizeOf)) }));
  return found
    .filter(({ ids }) => ids.size > 0 && [...ids].every((id) => chosen.has(id)))
    .sort((one, other) => one.ids.size - other.ids.size);
}

/** Ids of nodes are free text, but none begins like this: a key is no id with two line breaks. */
const frameKey = ({ id }: Group): string => `\n\n${id}`;

type Wiring = readonly (readonly [source: string, target: string])[];

/** Wires between the nodes, those into the upper inputs of a node before those into the lower ones. */
function orderedWires(graph: Graph, boxes: ReadonlyMap<string, Box>, inputsOf: InputsOf): Wiring {
  const found: [string, string][] = [];
  const seen = new Set<string>();
  const visit = (start: string) => {
    const stack: { id: string; rest: string[] }[] = [{ id: start, rest: sourcesOf(graph, start, inputsOf) }];
    seen.add(start);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const source = top?.rest.shift();
      if (top === undefined || source === undefined) stack.pop();
      else if (boxes.has(source)) {
        found.push([source, top.id]);
        if (!seen.has(source)) {
          seen.add(source);
          stack.push({ id: source, rest: sourcesOf(graph, source, inputsOf) });
        }
      }
    }
  };
  const feeding = new Set([...boxes.keys()].flatMap((id) => sourcesOf(graph, id, inputsOf)));
  for (const id of boxes.keys()) if (!feeding.has(id)) visit(id);
  for (const id of boxes.keys()) if (!seen.has(id)) visit(id);
  return found;
}

function sourcesOf(graph: Graph, id: string, inputsOf: InputsOf): string[] {
  const node = nodesOf(graph)[id];
  const links = node?.links ?? {};
  const order = node ? inputsOf(id, node) : [];
  const names = [...order, ...Object.keys(links).filter((name) => !order.includes(name))];
  return names.flatMap((name) =>
    linkList(Object.hasOwn(links, name) ? links[name] : undefined).map(([source]) => source),
  );
}

interface Plan {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly wires: Wiring;
}

/** Places of nodes and frames, from a corner at 0: what a frame holds is placed first, then the frame as one box. */
async function arranged(
  plan: Plan,
  ids: readonly string[],
  frames: readonly Framed[],
): Promise<Map<string, Box>> {
  const inside = new Map<string, Map<string, Box>>();
  const ownerOf = new Map(ids.map((id) => [id, id]));
  const items = new Map<string, Box>();
  for (const { group, ids: held } of outermost(frames)) {
    const key = frameKey(group);
    const members = ids.filter((id) => held.has(id) && ownerOf.get(id) === id);
    if (members.length === 0) continue;
    const inner = frames.filter(
      (other) => other.group !== group && [...other.ids].every((id) => members.includes(id)),
    );
    const placed = await arranged(plan, members, inner);
    const frame = framed([...placed.values()]);
    inside.set(
      key,
      new Map([...placed].map(([id, box]) => [id, { ...box, x: box.x - frame.x, y: box.y - frame.y }])),
    );
    items.set(key, { ...frame, x: 0, y: 0 });
    for (const id of members) ownerOf.set(id, key);
  }
  for (const id of ids) {
    const box = ownerOf.get(id) === id ? plan.boxes.get(id) : undefined;
    if (box) items.set(id, box);
  }
  const wires = plan.wires.flatMap(([source, target]): Wiring => {
    const [from, to] = [ownerOf.get(source), ownerOf.get(target)];
    return from === undefined || to === undefined || from === to ? [] : [[from, to]];
  });
  const places = await layered(items, wires);
  const all = new Map<string, Box>(places);
  for (const [key, boxes] of inside) {
    const { x = 0, y = 0 } = places.get(key) ?? {};
    for (const [id, box] of boxes) all.set(id, { ...box, x: box.x + x, y: box.y + y });
  }
  return all;
}

/** Those that lie in no other, the largest first. */
function outermost(frames: readonly Framed[]): Framed[] {
  const largest = [...frames].reverse();
  return largest.filter(
    ({ ids }, index) => !largest.slice(0, index).some((other) => [...ids].every((id) => other.ids.has(id))),
  );
}

/** Layers by longest path, order by barycentre: Sugiyama's method, as dagre does it; but sources as their wires. */
async function layered(boxes: ReadonlyMap<string, Box>, wires: Wiring): Promise<Map<string, Box>> {
  const { Graph: Layout, layout } = await import("@dagrejs/dagre");
  const plan = new Layout({ multigraph: false }).setGraph({
    rankdir: "LR",
    ranksep: COLUMN_GAP,
    nodesep: ROW_GAP,
  });
  const order = [...new Set([...wires.flat(), ...boxes.keys()])];
  const alias = new Map(order.map((id, index) => [id, `n${index}`])); // dagre trips over `constructor`
  const nameOf = (id: string): string => alias.get(id) ?? "";
  for (const id of order) {
    const { width = 0, height = 0 } = boxes.get(id) ?? {};
    plan.setNode(nameOf(id), { width, height });
  }
  for (const [source, target] of wires) plan.setEdge(nameOf(source), nameOf(target), {});
  layout(plan, {
    constraints: inOrder(wires).map(([left, right]) => ({ left: nameOf(left), right: nameOf(right) })),
  });
  return new Map(
    [...boxes].map(([id, box]) => {
      const { x = 0, y = 0 } = plan.node(nameOf(id));
      return [id, { ...box, x: x - box.width / 2, y: y - box.height / 2 }];
    }),
  );
}

/** Neighbours among the sources of a node, the upper first. Going by when each came first, they never go round. */
function inOrder(wires: Wiring): (readonly [upper: string, lower: string])[] {
  const first = new Map<string, number>();
  const sources = new Map<string, string[]>();
  for (const [source, target] of wires) {
    if (!first.has(source)) first.set(source, first.size);
    sources.set(target, [...(sources.get(target) ?? []), source]);
  }
  const place = (id: string) => first.get(id) ?? 0;
  return [...sources.values()].flatMap((of) =>
    of.flatMap((upper, index) => {
      const lower = of[index + 1];
      return lower !== undefined && place(upper) < place(lower) ? [[upper, lower] as const] : [];
    }),
  );
}

function corner(boxes: readonly Box[]): Point {
  return [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
}
