/**
 * Reroutes: points that wires pass through. They live in `ui` alone, so a run never meets them; the wire
 * itself always names the real output.
 */
import {
  linkList,
  lookUp,
  mapValues,
  nodesOf,
  sameLink,
  withField,
  without,
  type Graph,
  type Link,
  type NodeEntry,
  type Point,
  type Reroute,
} from "./document";
import { setVia, viaOf } from "./wires";

type Reroutes = Readonly<Record<string, Reroute>>;

export function reroutesOf(graph: Graph): Reroutes {
  return graph.ui?.reroutes ?? {};
}

function withReroutes<G extends Graph>(graph: G, reroutes: Reroutes): G {
  if (reroutes === reroutesOf(graph)) return graph;
  return withField(graph, "ui", withField(graph.ui ?? {}, "reroutes", reroutes));
}

/** Put a reroute into the wire of an input; `source` says which of several gathered ones. */
export function addReroute<G extends Graph>(
  graph: G,
  id: string,
  place: { target: string; input: string; source: Link; position: Point },
): G {
  const node = lookUp(graph.nodes, place.target);
  if (node === undefined) return graph;
  const via = viaOf(node, place.input);
  const reroute: Reroute = { position: place.position, source: place.source, ...(via && { via }) };
  const nodes = { ...graph.nodes, [place.target]: setVia(node, place.input, id) };
  return withReroutes({ ...graph, nodes }, { ...reroutesOf(graph), [id]: reroute });
}

export function moveReroute<G extends Graph>(graph: G, id: string, position: Point): G {
  const known = lookUp(reroutesOf(graph), id);
  return known ? withReroutes(graph, { ...reroutesOf(graph), [id]: { ...known, position } }) : graph;
}

/** Take a reroute away; the wires through it go on from the one before. */
export function removeReroute<G extends Graph>(graph: G, id: string): G {
  const gone = lookUp(reroutesOf(graph), id);
  if (gone === undefined) return graph;
  const left = mapValues(without(reroutesOf(graph), [id]), (reroute) =>
    reroute.via === id ? withField(reroute, "via", gone.via) : reroute,
  );
  const nodes = mapValues(nodesOf(graph), (node) => replaceVia(node, id, gone.via));
  return withReroutes({ ...graph, nodes }, left);
}

function replaceVia(node: NodeEntry, id: string, next: string | undefined): NodeEntry {
  let changed = node;
  for (const [input, via] of Object.entries(node.ui?.via ?? {}))
    if (via === id) changed = setVia(changed, input, next);
  return changed;
}

export function dropReroutesOf<G extends Graph>(graph: G, sources: ReadonlySet<string>): G {
  const reroutes = reroutesOf(graph);
  const gone = Object.keys(reroutes).filter((id) => sources.has(reroutes[id]?.source[0] ?? ""));
  return gone.length > 0 ? withReroutes(graph, without(reroutes, gone)) : graph;
}

/** Forget reroutes that no wire passes, and pointers to those that are gone. */
export function tidyReroutes<G extends Graph>(graph: G): G {
  const reroutes = reroutesOf(graph);
  if (Object.keys(reroutes).length === 0 && !hasVia(graph)) return graph;
  const nodes = mapValues(nodesOf(graph), (node) => dropStaleVia(node, reroutes));
  const used = new Set<string>();
  for (const node of Object.values(nodes))
    for (const via of Object.values(node.ui?.via ?? {})) for (const id of chain(reroutes, via)) used.add(id);
  const unused = Object.keys(reroutes).filter((id) => !used.has(id));
  return withReroutes(nodes === graph.nodes ? graph : { ...graph, nodes }, without(reroutes, unused));
}

function hasVia(graph: Graph): boolean {
  return Object.values(nodesOf(graph)).some((node) => node.ui?.via !== undefined);
}

function dropStaleVia(node: NodeEntry, reroutes: Reroutes): NodeEntry {
  let changed = node;
  for (const [input, via] of Object.entries(node.ui?.via ?? {}))
    if (!carries(node, input, lookUp(reroutes, via))) changed = setVia(changed, input, undefined);
  return changed;
}

function carries(node: NodeEntry, input: string, reroute: Reroute | undefined): boolean {
  return (
    reroute !== undefined &&
    linkList(lookUp(node.links, input)).some((link) => sameLink(link, reroute.source))
  );
}

/** The reroutes that a wire passes, from the input back to the output. A damaged file may hold a circle. */
export function chain(reroutes: Reroutes, last: string | undefined): string[] {
  const passed: string[] = [];
  for (let id = last; id !== undefined && !passed.includes(id);) {
    const reroute: Reroute | undefined = lookUp(reroutes, id);
    if (reroute === undefined) break;
    passed.push(id);
    id = reroute.via;
  }
  return passed;
}
