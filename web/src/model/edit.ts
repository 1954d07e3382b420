/** Pure edits of the nodes of a graph: each gives a new graph, or the same where nothing changed. */
import {
  linkList,
  lookUp,
  mapValues,
  nodeOf,
  nodesOf,
  withField,
  without,
  type Graph,
  type Json,
  type Mode,
  type NodeEntry,
  type NodeUi,
  type Nodes,
  type Point,
} from "./document";
import { filterLinks } from "./wires";
import { dropReroutesOf, tidyReroutes } from "./reroutes";

/** An id that no node has yet: `ksampler`, then `ksampler-2`. Slashes and dots have a meaning elsewhere. */
export function freshId(taken: Iterable<string>, wish: string): string {
  const used = new Set(taken);
  const base =
    wish
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_-]+/gu, "-")
      .replace(/^-+|-+$/g, "") || "node";
  if (!used.has(base)) return base;
  let number = 2;
  while (used.has(`${base}-${number}`)) number += 1;
  return `${base}-${number}`;
}

export function withNodes<G extends Graph>(graph: G, nodes: Nodes): G {
  return nodes === graph.nodes ? graph : { ...graph, nodes };
}

export function addNode<G extends Graph>(graph: G, id: string, entry: NodeEntry): G {
  return withNodes(graph, { ...nodesOf(graph), [id]: entry });
}

/** Remove nodes with every wire and reroute that came from them. */
export function removeNodes<G extends Graph>(graph: G, ids: Iterable<string>): G {
  const gone = new Set(ids);
  const left = without(nodesOf(graph), gone);
  const nodes = mapValues(left, (node) => filterLinks(node, (link) => !gone.has(link[0])));
  return tidyReroutes(dropReroutesOf(withNodes(graph, nodes), gone));
}

export function updateNode<G extends Graph>(graph: G, id: string, change: (node: NodeEntry) => NodeEntry): G {
  const node = nodeOf(graph, id);
  const changed = node && change(node);
  return changed === undefined || changed === node ? graph : addNode(graph, id, changed);
}

/** Change what the editor keeps with nodes; a field set to `undefined` goes. */
export function setUi<G extends Graph>(graph: G, ids: Iterable<string>, patch: Partial<NodeUi>): G {
  let changed = graph;
  for (const id of ids) changed = updateNode(changed, id, (node) => patchUi(node, patch));
  return changed;
}

export function patchUi(node: NodeEntry, patch: Partial<NodeUi>): NodeEntry {
  let ui: NodeUi = node.ui ?? {};
  for (const [key, value] of Object.entries(patch)) ui = withField(ui, key, value);
  return withField(node, "ui", ui);
}

export function moveNodes<G extends Graph>(graph: G, places: ReadonlyMap<string, Point>): G {
  let changed = graph;
  for (const [id, position] of places) changed = setUi(changed, [id], { position });
  return changed;
}

/** Give a node a title of its own; an empty one brings back that of its type. */
export function renameNode<G extends Graph>(graph: G, id: string, title: string): G {
  return setUi(graph, [id], { title: title.trim() || undefined });
}

export function setMode<G extends Graph>(graph: G, ids: Iterable<string>, mode: Mode | undefined): G {
  let changed = graph;
  for (const id of ids) changed = updateNode(changed, id, (node) => withMode(node, mode));
  return changed;
}

function withMode(node: NodeEntry, mode: Mode | undefined): NodeEntry {
  return (node.mode ?? undefined) === mode ? node : withField(node, "mode", mode);
}

/** Mute or bypass nodes, or none of them where all are so already: what a key toggles. */
export function toggleMode<G extends Graph>(graph: G, ids: readonly string[], mode: Mode): G {
  const all = ids.every((id) => nodeOf(graph, id)?.mode === mode);
  return setMode(graph, ids, all ? undefined : mode);
}

/** Set a constant. A wire stays: what it brings counts until it is pulled out. */
export function setInput<G extends Graph>(graph: G, id: string, name: string, value: Json): G {
  return updateNode(graph, id, (node) =>
    lookUp(node.inputs, name) === value ? node : { ...node, inputs: { ...node.inputs, [name]: value } },
  );
}

/** Go back to the default of an input. */
export function clearInput<G extends Graph>(graph: G, id: string, name: string): G {
  return updateNode(graph, id, (node) =>
    lookUp(node.inputs, name) === undefined
      ? node
      : withField(node, "inputs", without(node.inputs ?? {}, [name])),
  );
}

/** Show an input as a socket, or as a widget again; a wire that is in it is pulled out then. */
export function showAsSocket<G extends Graph>(graph: G, id: string, name: string, socket: boolean): G {
  return updateNode(graph, id, (node) => {
    const others = (node.ui?.sockets ?? []).filter((other) => other !== name);
    const links = without(node.links ?? {}, socket ? [] : [name]);
    return patchUi(withField(node, "links", links), { sockets: socket ? [...others, name] : others });
  });
}

/** Ids of the nodes that the outputs of these nodes reach, themselves left out. */
export function downstream(graph: Graph, ids: Iterable<string>): Set<string> {
  const readers = new Map<string, string[]>();
  for (const [id, node] of Object.entries(nodesOf(graph)))
    for (const links of Object.values(node.links ?? {}))
      for (const [source] of linkList(links)) readers.set(source, [...(readers.get(source) ?? []), id]);
  return reach(ids, (id) => readers.get(id) ?? []);
}

/** Ids of the nodes that these nodes need, themselves left out. */
export function upstream(graph: Graph, ids: Iterable<string>): Set<string> {
  return reach(ids, (id) =>
    Object.values(nodeOf(graph, id)?.links ?? {}).flatMap((links) =>
      linkList(links).map(([source]) => source),
    ),
  );
}

function reach(start: Iterable<string>, next: (id: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const pending = [...start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop())
    for (const other of next(id))
      if (!found.has(other)) {
        found.add(other);
        pending.push(other);
      }
  return found;
}
