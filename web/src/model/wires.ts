/** Pure edits of the wires of a graph. */
import {
  isOneLink,
  linkList,
  lookUp,
  nodesOf,
  sameLink,
  withField,
  without,
  type Graph,
  type Link,
  type Links,
  type NodeEntry,
} from "./document";

export interface Wire {
  readonly source: Link;
  readonly target: string;
  readonly input: string;
  /** Its place where several outputs are gathered into one input. */
  readonly index: number;
}

export function wiresOf(graph: Graph): Wire[] {
  return Object.entries(nodesOf(graph)).flatMap(([id, node]) => wiresInto(id, node));
}

function wiresInto(target: string, node: NodeEntry): Wire[] {
  return Object.entries(node.links ?? {}).flatMap(([input, links]) =>
    linkList(links).map((source, index) => ({ source, target, input, index })),
  );
}

/**
 * Wire an output into an input, instead of what was there.
 *
 * @param gather add it to what is there: the input then gets a list.
 * @param via the reroute the wire comes from.
 */
export function connect<G extends Graph>(
  graph: G,
  source: Link,
  target: string,
  input: string,
  { gather = false, via }: { gather?: boolean; via?: string } = {},
): G {
  const node = lookUp(graph.nodes, target);
  if (node === undefined) return graph;
  const before = lookUp(node.links, input);
  const links = gather && before !== undefined ? gathered(before, source) : source;
  if (before !== undefined && JSON.stringify(before) === JSON.stringify(links) && viaOf(node, input) === via)
    return graph;
  const wired = setVia(setLinks(node, input, links), input, via);
  return { ...graph, nodes: { ...graph.nodes, [target]: wired } };
}

function gathered(before: Links, source: Link): Links {
  const links = linkList(before);
  return links.some((link) => sameLink(link, source)) ? before : [...links, source];
}

/** Pull out the wire of an input, or one of those that are gathered there. */
export function disconnect<G extends Graph>(graph: G, target: string, input: string, source?: Link): G {
  const node = lookUp(graph.nodes, target);
  const links = lookUp(node?.links, input);
  if (node === undefined || links === undefined) return graph;
  const left = source === undefined ? undefined : keepLinks(links, (link) => !sameLink(link, source));
  if (left === links) return graph;
  const freed = setVia(setLinks(node, input, left), input, undefined);
  return { ...graph, nodes: { ...graph.nodes, [target]: freed } };
}

export function setLinks(node: NodeEntry, input: string, links: Links | undefined): NodeEntry {
  const all = links === undefined ? without(node.links ?? {}, [input]) : { ...node.links, [input]: links };
  return withField(node, "links", all);
}

export function viaOf(node: NodeEntry, input: string): string | undefined {
  return lookUp(node.ui?.via, input);
}

export function setVia(node: NodeEntry, input: string, via: string | undefined): NodeEntry {
  if (viaOf(node, input) === via) return node;
  const rest = without(node.ui?.via ?? {}, [input]);
  const all = via === undefined ? rest : { ...rest, [input]: via };
  return withField(node, "ui", withField(node.ui ?? {}, "via", all));
}

/** The links that `keep` takes; one that stood alone stays alone, a list stays a list. */
export function keepLinks(links: Links, keep: (link: Link) => boolean): Links | undefined {
  if (isOneLink(links)) return keep(links) ? links : undefined;
  const left = links.filter(keep);
  if (left.length === links.length) return links;
  return left.length > 0 ? left : undefined;
}

/** The node with only the wires whose source `keep` takes; the same node where it takes all. */
export function filterLinks(node: NodeEntry, keep: (link: Link, input: string) => boolean): NodeEntry {
  let changed = node;
  for (const [input, links] of Object.entries(node.links ?? {})) {
    const left = keepLinks(links, (link) => keep(link, input));
    if (left !== links) changed = setLinks(changed, input, left);
  }
  return changed;
}

/** The node with each of its links replaced. */
export function mapLinks(node: NodeEntry, change: (link: Link) => Link): NodeEntry {
  let changed = node;
  for (const [input, links] of Object.entries(node.links ?? {})) {
    const moved = isOneLink(links) ? change(links) : links.map(change);
    if (JSON.stringify(moved) !== JSON.stringify(links)) changed = setLinks(changed, input, moved);
  }
  return changed;
}

/** Whether a wire from one node into another would close a circle. */
export function closesCycle(graph: Graph, source: string, target: string): boolean {
  const seen = new Set<string>();
  const pending = [source];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (id === target) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    for (const links of Object.values(lookUp(graph.nodes, id)?.links ?? {}))
      pending.push(...linkList(links).map(([node]) => node));
  }
  return false;
}
