/** What React Flow draws, made from the document; what did not change keeps its identity. */
import { Position, type Edge, type Node } from "@xyflow/react";
import { nodesOf, type Graph, type Group, type Link, type NodeEntry } from "@/model/document";
import { groupsOf, grownHeight, type SizeOf } from "@/model/groups";
import { chain, reroutesOf } from "@/model/reroutes";
import { isPartlyOpen, socketType } from "@/model/sockets";
import type { Typing } from "@/model/typing";
import { viaOf, wiresOf, type Wire } from "@/model/wires";
import { nodeTypeOf, type NodeType, type Place } from "@/state/nodeTypes";
import { cardGeometry, REROUTE } from "./geometry";

export type FlowKind = "card" | "frame" | "reroute";
export type FlowNode = Node<Record<string, never>, FlowKind>;
/** `type` colours the wire; `wires` are the inputs behind it, several between two reroutes. */
export type FlowEdge = Edge<
  { type: string; source: Link; target: string; input: string; idle: boolean },
  "wire"
>;

const REROUTE_PREFIX = "@reroute/";
const FRAME_PREFIX = "@frame/";
const WIRE_PREFIX = "@wire/";

export const rerouteNodeId = (id: string) => REROUTE_PREFIX + id;
export const frameNodeId = (id: string) => FRAME_PREFIX + id;

/** What a drawn node stands for. */
export function readFlowId(flowId: string): { kind: FlowKind; id: string } {
  if (flowId.startsWith(REROUTE_PREFIX)) return { kind: "reroute", id: flowId.slice(REROUTE_PREFIX.length) };
  if (flowId.startsWith(FRAME_PREFIX)) return { kind: "frame", id: flowId.slice(FRAME_PREFIX.length) };
  return { kind: "card", id: flowId };
}

/** The input that a drawn wire ends in, by the id of its last piece. */
export function readWireId(flowId: string): { target: string; input: string; index: number } | undefined {
  if (!flowId.startsWith(WIRE_PREFIX)) return undefined;
  const [target, input, index] = JSON.parse(flowId.slice(WIRE_PREFIX.length)) as [string, string, number];
  return { target, input, index };
}

const wireId = (wire: Wire) => WIRE_PREFIX + JSON.stringify([wire.target, wire.input, wire.index]);

interface Context extends Place {
  selection: ReadonlySet<string>;
  /** What is known of outputs that are declared to give anything. */
  typing?: Pick<Typing, "shownOutput">;
  /** How often new sizes were noted: a drawing is due after each. */
  measured: number;
}

interface Size {
  width: number;
  height: number;
}

const NO_DATA: Record<string, never> = {};

interface Drawn {
  /** What the node was made from. */
  sources: readonly unknown[];
  node: FlowNode;
}

/** Keeps what was drawn last, so that an edit of one node makes one new object. */
export class FlowNodes {
  private drawn = new Map<string, Drawn>();
  private last: FlowNode[] = [];
  /** Sizes of cards that were mounted: those that show a result are taller than their rows. */
  private sizes = new Map<string, Size>();

  measure(id: string, size: Size): void {
    this.sizes.set(id, size);
  }

  sizeOf(id: string): Size | undefined {
    return this.sizes.get(id) ?? (this.drawn.get(id)?.node.measured as Size | undefined);
  }

  draw(context: Context): FlowNode[] {
    const before = this.drawn;
    this.drawn = new Map();
    const { graph } = context;
    const draw = (id: string, sources: readonly unknown[], make: () => FlowNode) =>
      this.keep(before.get(id), id, sources, context.selection.has(id), make);
    const nodes = [
      ...groupsOf(graph).map((group) => {
        const height = grownHeight(graph, group, ...this.sizesIn(context));
        return draw(frameNodeId(group.id), [group, height], () => frameNode(group, height));
      }),
      ...Object.entries(nodesOf(graph)).map(([id, entry]) => {
        const type = nodeTypeOf(id, entry, context);
        const size = this.sizes.get(id);
        return draw(id, [entry, type, size], () => cardNode(id, entry, type, size));
      }),
      ...Object.entries(reroutesOf(graph)).map(([id, reroute]) =>
        draw(rerouteNodeId(id), [reroute], () => rerouteNode(id, reroute.position)),
      ),
    ];
    if (!sameItems(nodes, this.last)) this.last = nodes;
    return this.last;
  }

  /** The size of the rows of a card, and of the whole card. */
  private sizesIn(context: Context): [rowsSize: SizeOf, sizeOf: SizeOf] {
    const rowsSize: SizeOf = (id, entry) => {
      const { width, height } = cardGeometry(entry, nodeTypeOf(id, entry, context));
      return [width, height];
    };
    const seen = (id: string, entry: NodeEntry) =>
      entry.ui?.collapsed ? 0 : (this.sizes.get(id)?.height ?? 0);
    return [
      rowsSize,
      (id, entry) => {
        const [width, height] = rowsSize(id, entry);
        return [width, Math.max(height, seen(id, entry))];
      },
    ];
  }

  private keep(
    known: Drawn | undefined,
    id: string,
    sources: readonly unknown[],
    selected: boolean,
    make: () => FlowNode,
  ): FlowNode {
    const drawn = known && sameItems(known.sources, sources) ? known.node : reuse(known, make(), sources[2]);
    const node = (drawn.selected ?? false) === selected ? drawn : { ...drawn, selected };
    this.drawn.set(id, { sources, node });
    return node;
  }
}

function sameItems(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

/**
 * Typing changes the entry of a node but nothing of what is drawn here.
 *
 * A new size was found by React Flow itself, which then forgot our sockets: only a new object reminds it.
 */
function reuse(known: Drawn | undefined, made: FlowNode, size: unknown): FlowNode {
  if (known === undefined) return made;
  if (known.sources[2] !== size) return made;
  return sameAs(known.node, made);
}

function sameAs(known: FlowNode, made: FlowNode): FlowNode {
  const fresh = { ...made, selected: known.selected };
  return JSON.stringify(known) === JSON.stringify(fresh) ? known : fresh;
}

function cardNode(id: string, entry: NodeEntry, type: NodeType, size: Size | undefined): FlowNode {
  const { width, height, sockets } = cardGeometry(entry, type);
  const [x, y] = entry.ui?.position ?? [0, 0];
  return {
    id,
    type: "card",
    position: { x, y },
    data: NO_DATA,
    dragHandle: ".card-header",
    measured: { width, height: Math.max(height, entry.ui?.collapsed ? 0 : (size?.height ?? 0)) },
    width,
    handles: sockets.map((socket) => ({
      id: socket.id,
      type: socket.type,
      position: socket.type === "source" ? Position.Right : Position.Left,
      x: socket.x - 6,
      y: socket.y - 6,
      width: 12,
      height: 12,
    })),
  };
}

function rerouteNode(id: string, [x, y]: readonly [number, number]): FlowNode {
  const middle = { x: REROUTE / 2 - 1, y: REROUTE / 2 - 1, width: 2, height: 2 };
  return {
    id: rerouteNodeId(id),
    type: "reroute",
    position: { x: x - REROUTE / 2, y: y - REROUTE / 2 },
    data: NO_DATA,
    measured: { width: REROUTE, height: REROUTE },
    handles: [
      { id: "in", type: "target", position: Position.Left, ...middle },
      { id: "out", type: "source", position: Position.Right, ...middle },
    ],
  };
}

function frameNode(group: Group, height: number): FlowNode {
  const [width] = group.size;
  return {
    id: frameNodeId(group.id),
    type: "frame",
    position: { x: group.position[0], y: group.position[1] },
    data: NO_DATA,
    zIndex: -1,
    width,
    height,
    measured: { width, height },
    dragHandle: ".frame-title",
  };
}

/** Keeps edges that did not change. */
export class FlowEdges {
  private drawn = new Map<string, FlowEdge>();
  private last: FlowEdge[] = [];

  draw(context: Context): FlowEdge[] {
    const before = this.drawn;
    this.drawn = new Map();
    for (const wire of wiresOf(context.graph))
      for (const edge of segments(context.graph, wire, outputType(context, wire.source))) {
        const known = before.get(edge.id);
        const drawn = { ...edge, selected: context.selection.has(edge.id) };
        this.drawn.set(edge.id, known && sameEdge(known, drawn) ? known : drawn);
      }
    const edges = [...this.drawn.values()];
    if (!sameItems(edges, this.last)) this.last = edges;
    return this.last;
  }
}

function sameEdge(one: FlowEdge, other: FlowEdge): boolean {
  return (
    one.source === other.source &&
    one.sourceHandle === other.sourceHandle &&
    one.target === other.target &&
    one.targetHandle === other.targetHandle &&
    one.selected === other.selected &&
    one.data?.type === other.data?.type &&
    one.data?.idle === other.data?.idle
  );
}

function outputType(context: Context, source: Link): string {
  const [id, output] = source;
  const entry = nodesOf(context.graph)[id];
  const type = entry && nodeTypeOf(id, entry, context);
  const declared = type?.outputs.find((candidate) => candidate.name === output)?.type ?? "Any";
  const shown = isPartlyOpen(socketType(declared)) ? context.typing?.shownOutput(source).name : undefined;
  return shown ?? declared;
}

/** The pieces of a wire between output, reroutes and input. */
function segments(graph: Graph, wire: Wire, type: string): FlowEdge[] {
  const entry = nodesOf(graph)[wire.target];
  const passed = entry && wire.index === 0 ? chain(reroutesOf(graph), viaOf(entry, wire.input)) : [];
  const idle = [wire.source[0], wire.target].some((id) => Boolean(nodesOf(graph)[id]?.mode));
  const data = { type, source: wire.source, target: wire.target, input: wire.input, idle };
  const stops = [...passed].reverse();
  const starts = [{ node: wire.source[0], handle: wire.source[1] }, ...stops.map((id) => stop(id, "out"))];
  const ends = [...stops.map((id) => stop(id, "in")), { node: wire.target, handle: wire.input }];
  return starts.map((start, index) => {
    const end = ends[index] ?? start;
    const id = index === stops.length ? wireId(wire) : `${start.node}>${start.handle}>${end.node}`;
    return {
      id,
      type: "wire",
      source: start.node,
      sourceHandle: start.handle,
      target: end.node,
      targetHandle: end.handle,
      data,
    };
  });
}

function stop(id: string, handle: string): { node: string; handle: string } {
  return { node: rerouteNodeId(id), handle };
}
