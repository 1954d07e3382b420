/** Turning a subgraph back into the nodes it holds. */
import {
  editAt,
  graphAt,
  lookUp,
  mapValues,
  nodesOf,
  subgraphName,
  without,
  withField,
  type Graph,
  type Link,
  type NodeEntry,
  type Nodes,
  type Point,
  type Scope,
  type SubgraphEntry,
  type Workflow,
} from "./document";
import { NO_BODIES, usesOf, type BodyInputs } from "./bodies";
import { freshId, patchUi, withNodes } from "./edit";
import { tidyReroutes, dropReroutesOf } from "./reroutes";
import { mapLinks, setLinks } from "./wires";

/** Replace a subgraph node by the nodes it stands for. The subgraph goes when nothing uses it any more. */
export function unpackSubgraph(
  workflow: Workflow,
  scope: Scope,
  id: string,
  bodyInputs: BodyInputs = NO_BODIES,
): { workflow: Workflow; ids: readonly string[] } | undefined {
  const graph = graphAt(workflow, scope);
  const node = lookUp(graph?.nodes, id);
  const name = node && subgraphName(node.type);
  const subgraph = name === undefined ? undefined : lookUp(workflow.subgraphs, name);
  if (graph === undefined || node === undefined || name === undefined || subgraph === undefined)
    return undefined;
  const names = namesOutside(graph, id, subgraph);
  const inner = unpacked(node, subgraph, names);
  const opened = editAt(workflow, scope, (before) => spread(before, id, subgraph, names, inner));
  return { workflow: dropUnused(opened, name, bodyInputs), ids: Object.keys(inner) };
}

function namesOutside(graph: Graph, gone: string, subgraph: SubgraphEntry): Map<string, string> {
  const taken = new Set(Object.keys(nodesOf(graph)).filter((id) => id !== gone));
  const names = new Map<string, string>();
  for (const id of Object.keys(nodesOf(subgraph))) {
    const name = taken.has(id) ? freshId(taken, id) : id;
    taken.add(name);
    names.set(id, name);
  }
  return names;
}

function unpacked(node: NodeEntry, subgraph: SubgraphEntry, names: ReadonlyMap<string, string>): Nodes {
  const inner = new Map<string, NodeEntry>();
  const [dx, dy] = offset(node, subgraph);
  for (const [id, entry] of Object.entries(nodesOf(subgraph))) {
    const [x, y] = entry.ui?.position ?? [0, 0];
    const renamed = mapLinks(entry, ([source, output]) => [names.get(source) ?? source, output]);
    const moved = patchUi(renamed, { position: [x + dx, y + dy], via: undefined });
    inner.set(names.get(id) ?? id, moved);
  }
  for (const [outer, targets] of Object.entries(subgraph.inputs ?? {}))
    for (const [id, input] of targets) feed(inner, names.get(id) ?? id, input, node, outer);
  return Object.fromEntries(inner);
}

/** Hand what the subgraph node was given to an inner input. */
function feed(
  inner: Map<string, NodeEntry>,
  id: string,
  input: string,
  node: NodeEntry,
  outer: string,
): void {
  const entry = inner.get(id);
  if (entry === undefined) return;
  const links = lookUp(node.links, outer);
  const value = lookUp(node.inputs, outer);
  const valued = value === undefined ? entry : { ...entry, inputs: { ...entry.inputs, [input]: value } };
  inner.set(id, links === undefined ? valued : setLinks(valued, input, links));
}

/** Inner places are kept relative to one another; their middle comes where the node stood. */
function offset(node: NodeEntry, subgraph: SubgraphEntry): Point {
  const places = Object.values(nodesOf(subgraph)).map((entry): Point => entry.ui?.position ?? [0, 0]);
  const [x, y] = node.ui?.position ?? [0, 0];
  if (places.length === 0) return [0, 0];
  const mean = (axis: 0 | 1) =>
    Math.round(places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  return [x - mean(0), y - mean(1)];
}

function spread<G extends Graph>(
  graph: G,
  gone: string,
  subgraph: SubgraphEntry,
  names: ReadonlyMap<string, string>,
  inner: Nodes,
): G {
  const through = (link: Link): Link => {
    const source = link[0] === gone ? lookUp(subgraph.outputs, link[1]) : undefined;
    return source ? [names.get(source[0]) ?? source[0], source[1]] : link;
  };
  const left = mapValues(without(nodesOf(graph), [gone]), (node) => mapLinks(node, through));
  const opened = mapValues(inner, (node) => mapLinks(node, through));
  return tidyReroutes(dropReroutesOf(withNodes(graph, { ...left, ...opened }), new Set([gone])));
}

function dropUnused(workflow: Workflow, name: string, bodyInputs: BodyInputs): Workflow {
  const graphs: Graph[] = [workflow, ...Object.values(workflow.subgraphs ?? {})];
  const uses = graphs.flatMap((graph) =>
    Object.values(nodesOf(graph)).flatMap((node) => usesOf(node, bodyInputs)),
  );
  if (uses.some((use) => use.name === name)) return workflow;
  return withField(workflow, "subgraphs", without(workflow.subgraphs ?? {}, [name]));
}
