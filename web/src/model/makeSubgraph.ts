/** Turning nodes into a subgraph. */
import {
  SUBGRAPH_PREFIX,
  editAt,
  graphAt,
  linkList,
  lookUp,
  mapValues,
  nodesOf,
  without,
  withField,
  type Graph,
  type Link,
  type Links,
  type NodeEntry,
  type Nodes,
  type Point,
  type Scope,
  type SubgraphEntry,
  type Workflow,
} from "./document";
import { addNode, freshId, patchUi, withNodes } from "./edit";
import { tidyReroutes, dropReroutesOf } from "./reroutes";
import { claim, freshName } from "./subgraphs";
import { mapLinks, setLinks } from "./wires";

type Target = readonly [node: string, input: string];

export interface Made {
  readonly workflow: Workflow;
  /** The node that stands for the subgraph now, and the name of the latter. */
  readonly id: string;
  readonly name: string;
}

/**
 * Put nodes into a subgraph of their own; a node that stands for it takes their place.
 *
 * Wires that came from outside become its inputs (one for each outer output and type of use), wires that led
 * outside its outputs.
 */
export function makeSubgraph(
  workflow: Workflow,
  scope: Scope,
  ids: readonly string[],
  wish: string,
): Made | undefined {
  const graph = graphAt(workflow, scope);
  const inside = new Set(ids.filter((id) => lookUp(graph?.nodes, id) !== undefined));
  if (graph === undefined || inside.size === 0 || obstacle(graph, inside)) return undefined;
  const name = freshName(Object.keys(workflow.subgraphs ?? {}), wish);
  const id = freshId(Object.keys(nodesOf(graph)), wish);
  const entrances = findEntrances(graph, inside);
  const exits = findExits(graph, inside);
  const inner = innerNodes(graph, inside, entrances);
  const subgraph: SubgraphEntry = {
    inputs: Object.fromEntries(entrances.map(({ name, targets }) => [name, targets])),
    outputs: Object.fromEntries(exits.map(({ name, source }) => [name, source])),
    nodes: inner,
  };
  const node = standIn(graph, inside, name, entrances);
  const defined = { ...workflow, subgraphs: { ...workflow.subgraphs, [name]: subgraph } };
  const placed = editAt(defined, scope, (before) => replaceByOne(before, inside, id, node, exits));
  return { workflow: placed, id, name };
}

/** Why nodes cannot become one: a wire leaves and comes back, or inner and outer outputs are gathered together. */
export function obstacle(graph: Graph, inside: ReadonlySet<string>): "circle" | "mixed" | undefined {
  if (leavesAndReturns(graph, inside)) return "circle";
  const lists = [...inside].flatMap((id) =>
    Object.values(lookUp(graph.nodes, id)?.links ?? {}).map(linkList),
  );
  const mixed = lists.some((list) => new Set(list.map(([source]) => inside.has(source))).size > 1);
  return mixed ? "mixed" : undefined;
}

function leavesAndReturns(graph: Graph, inside: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  const pending = [...inside].flatMap((id) => sourcesOf(graph, id)).filter((id) => !inside.has(id));
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (inside.has(id)) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    pending.push(...sourcesOf(graph, id));
  }
  return false;
}

function sourcesOf(graph: Graph, id: string): string[] {
  return Object.values(lookUp(graph.nodes, id)?.links ?? {}).flatMap((links) =>
    linkList(links).map(([node]) => node),
  );
}

export interface Entrance {
  readonly name: string;
  readonly links: Links;
  readonly targets: readonly Target[];
}

/** One input for each different outer wiring; inputs that share it share the entrance. */
export function findEntrances(graph: Graph, inside: ReadonlySet<string>): Entrance[] {
  const byWiring = new Map<string, { input: string; links: Links; targets: Target[] }>();
  for (const id of inside)
    for (const [input, links] of Object.entries(lookUp(graph.nodes, id)?.links ?? {})) {
      if (linkList(links).every(([source]) => inside.has(source))) continue;
      const key = JSON.stringify(links);
      const known = byWiring.get(key) ?? { input, links, targets: [] };
      known.targets.push([id, input]);
      byWiring.set(key, known);
    }
  const taken = new Set<string>();
  return [...byWiring.values()].map(({ input, links, targets }) => ({
    name: claim(taken, input),
    links,
    targets,
  }));
}

export interface Exit {
  readonly name: string;
  readonly source: Link;
}

export function findExits(graph: Graph, inside: ReadonlySet<string>): Exit[] {
  const found = new Map<string, Link>();
  for (const [id, node] of Object.entries(nodesOf(graph)))
    for (const links of inside.has(id) ? [] : Object.values(node.links ?? {}))
      for (const link of linkList(links)) if (inside.has(link[0])) found.set(JSON.stringify(link), link);
  const taken = new Set<string>();
  return [...found.values()].map((source) => ({ name: claim(taken, source[1]), source }));
}

export function innerNodes(graph: Graph, inside: ReadonlySet<string>, entrances: readonly Entrance[]): Nodes {
  const fed = new Set(entrances.flatMap(({ targets }) => targets.map((target) => JSON.stringify(target))));
  const inner = Object.entries(nodesOf(graph)).filter(([id]) => inside.has(id));
  return Object.fromEntries(
    inner.map(([id, node]) => {
      let freed = patchUi(node, { via: undefined });
      for (const input of Object.keys(node.links ?? {}))
        if (fed.has(JSON.stringify([id, input]))) freed = setLinks(freed, input, undefined);
      return [id, freed];
    }),
  );
}

function standIn(
  graph: Graph,
  inside: ReadonlySet<string>,
  name: string,
  entrances: readonly Entrance[],
): NodeEntry {
  const links = Object.fromEntries(entrances.map((entrance) => [entrance.name, entrance.links]));
  const ui = { position: middleOf(graph, inside) };
  const node: NodeEntry = { type: SUBGRAPH_PREFIX + name, version: 1, ui };
  return withField(node, "links", links);
}

/** Where the node goes that takes the place of others. */
export function middleOf(graph: Graph, inside: ReadonlySet<string>): Point {
  const places = [...inside].map((id): Point => lookUp(graph.nodes, id)?.ui?.position ?? [0, 0]);
  const mean = (axis: 0 | 1) =>
    Math.round(places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  return [mean(0), mean(1)];
}

export function replaceByOne<G extends Graph>(
  graph: G,
  inside: ReadonlySet<string>,
  id: string,
  node: NodeEntry,
  exits: readonly Exit[],
): G {
  const names = new Map(exits.map(({ name, source }) => [JSON.stringify(source), name]));
  const through = (link: Link): Link => [id, names.get(JSON.stringify(link)) ?? link[1]];
  const left = mapValues(without(nodesOf(graph), inside), (other) =>
    mapLinks(other, (link) => (inside.has(link[0]) ? through(link) : link)),
  );
  return tidyReroutes(dropReroutesOf(addNode(withNodes(graph, left), id, node), inside));
}
