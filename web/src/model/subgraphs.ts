/** The inputs and outputs that a subgraph has outside. */
import {
  SUBGRAPH_PREFIX,
  isOneLink,
  linkList,
  lookUp,
  mapValues,
  nodesOf,
  sameLink,
  without,
  withField,
  type Graph,
  type Link,
  type NodeEntry,
  type Scope,
  type SubgraphEntry,
  type Workflow,
} from "./document";
import { NO_BODIES, usesOf, type BodyInputs } from "./bodies";
import { withNodes } from "./edit";
import { tidyReroutes } from "./reroutes";
import { setLinks } from "./wires";

type Target = readonly [node: string, input: string];

/** A name that is not taken: `image`, then `image_2`. It is taken from then on. */
export function claim(taken: Set<string>, wish: string): string {
  let name = wish;
  for (let number = 2; taken.has(name); number += 1) name = `${wish}_${number}`;
  taken.add(name);
  return name;
}

/** A name for a subgraph that is not taken: `Detail`, then `Detail 2`. */
export function freshName(names: Iterable<string>, wish: string): string {
  const taken = new Set(names);
  const base = wish.trim().replaceAll("/", "-") || "Subgraph";
  if (!taken.has(base)) return base;
  let number = 2;
  while (taken.has(`${base} ${number}`)) number += 1;
  return `${base} ${number}`;
}

/** Show an inner input outside, under a name of its own. */
export function exposeInput(subgraph: SubgraphEntry, target: Target, wish = target[1]): SubgraphEntry {
  const name = claim(new Set(Object.keys(subgraph.inputs ?? {})), wish);
  return { ...subgraph, inputs: { ...subgraph.inputs, [name]: [target] } };
}

export function exposeOutput(subgraph: SubgraphEntry, source: Link, wish = source[1]): SubgraphEntry {
  const name = claim(new Set(Object.keys(subgraph.outputs ?? {})), wish);
  return { ...subgraph, outputs: { ...subgraph.outputs, [name]: source } };
}

export type Side = "inputs" | "outputs";

/** The name that a socket has outside the subgraph it is in, where it is shown there. */
export function exposedName(subgraph: SubgraphEntry, side: Side, at: Link): string | undefined {
  if (side === "outputs")
    return Object.entries(subgraph.outputs ?? {}).find(([, source]) => sameLink(source, at))?.[0];
  return Object.entries(subgraph.inputs ?? {}).find(([, targets]) =>
    targets.some((target) => sameLink(target, at)),
  )?.[0];
}

/** Take an input or output of a subgraph back, with every wire that used it. */
export function concealSocket(workflow: Workflow, name: string, side: Side, socket: string): Workflow {
  const subgraph = lookUp(workflow.subgraphs, name);
  if (subgraph === undefined) return workflow;
  const left = { ...subgraph, [side]: without<unknown>(subgraph[side] ?? {}, [socket]) };
  const type = SUBGRAPH_PREFIX + name;
  const clean = <G extends Graph>(graph: G): G => dropSocket(graph, type, side, socket);
  const all = mapValues({ ...workflow.subgraphs, [name]: left }, clean);
  return { ...clean(workflow), subgraphs: all };
}

function dropSocket<G extends Graph>(graph: G, type: string, side: Side, socket: string): G {
  const users = new Set(Object.keys(nodesOf(graph)).filter((id) => nodesOf(graph)[id]?.type === type));
  if (users.size === 0) return graph;
  const nodes = mapValues(nodesOf(graph), (node, id) =>
    side === "inputs"
      ? users.has(id)
        ? forgetInput(node, socket)
        : node
      : forgetSource(node, users, socket),
  );
  return tidyReroutes(withNodes(graph, nodes));
}

function forgetInput(node: NodeEntry, name: string): NodeEntry {
  return withField(setLinks(node, name, undefined), "inputs", without(node.inputs ?? {}, [name]));
}

function forgetSource(node: NodeEntry, users: ReadonlySet<string>, output: string): NodeEntry {
  let changed = node;
  for (const [input, links] of Object.entries(node.links ?? {})) {
    const kept = linkList(links).filter(([source, name]) => !(users.has(source) && name === output));
    if (kept.length === linkList(links).length) continue;
    changed = setLinks(changed, input, isOneLink(links) || kept.length === 0 ? undefined : kept);
  }
  return changed;
}

/** Whether a graph would hold itself if a node of `type` were put into `scope`. */
export function wouldContainItself(
  workflow: Workflow,
  scope: Scope,
  type: string,
  bodyInputs: BodyInputs = NO_BODIES,
): boolean {
  if (scope === null) return false;
  const seen = new Set(usesOf({ type }, bodyInputs).map(({ name }) => name));
  for (const name of seen) {
    if (name === scope) return true;
    for (const node of Object.values(nodesOf(lookUp(workflow.subgraphs, name) ?? {})))
      for (const use of usesOf(node, bodyInputs)) seen.add(use.name);
  }
  return false;
}
