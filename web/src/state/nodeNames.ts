/** What people call nodes, in messages and lists. */
import { graphAt, nodesOf, type Graph, type NodeEntry, type Scope, type Workflow } from "@/model/document";
import { placeOf, type Step } from "@/model/places";
import { currentCatalogue, useCatalogue } from "./catalogue";
import { currentWorkflow, useTab, workflowOf } from "./documents";
import { bodyInputsOf, nodeTypeOf, type Catalogue } from "./nodeTypes";

/** The title of a node, with its id where others beside it have that title; inside others, after theirs. */
export function nodeName(id: string, workflow: Workflow, catalogue: Catalogue, numbered = false): string {
  const bodyInputs = (type: string) => bodyInputsOf(catalogue, type);
  const place = placeOf(workflow, id, { bodyInputs, numbered });
  if (place === undefined) return id;
  const scopes: readonly Scope[] = [null, ...place.path.map(({ scope }) => scope)];
  const names = [...idsOnTheWay(place.path), place.id].map((one, index) => {
    const graph = graphAt(workflow, scopes[index] ?? null);
    return graph ? titleIn(graph, one, workflow, catalogue) : one;
  });
  return names.join(" › ");
}

/** The ids of the nodes that were entered, each in its own graph. */
function idsOnTheWay(path: readonly Step[]): string[] {
  return path.map(({ prefix }, index) => prefix.slice(path[index - 1]?.prefix.length ?? 0, -1));
}

function titleIn(graph: Graph, id: string, workflow: Workflow, catalogue: Catalogue): string {
  const title = (one: string, entry: NodeEntry) =>
    entry.ui?.title ?? nodeTypeOf(one, entry, { graph, workflow, catalogue }).title;
  const nodes = nodesOf(graph);
  const own = nodes[id];
  if (own === undefined) return id;
  const name = title(id, own);
  const shared = Object.entries(nodes).some(([other, entry]) => other !== id && title(other, entry) === name);
  return shared ? `${name} (${id})` : name;
}

export const nodeNameNow = (id: string): string => nodeName(id, currentWorkflow(), currentCatalogue());

/** Names the nodes of the workflow in front. */
export function useNodeNames(numbered = false): (id: string) => string {
  const workflow = useTab(workflowOf);
  const catalogue = useCatalogue((state) => state.catalogue);
  return (id) => nodeName(id, workflow, catalogue, numbered);
}
