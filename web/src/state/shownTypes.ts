/** The types of nodes of the graph that is shown. */
import { nodeOf, type Graph } from "@/model/document";
import { currentCatalogue, useCatalogue } from "./catalogue";
import { currentGraph, currentTab, graphOf, useTab, workflowOf } from "./documents";
import { nodeTypeOf, type NodeType } from "./nodeTypes";

/** The type of a node on the canvas. */
export function useNodeType(id: string): NodeType | undefined {
  const catalogue = useCatalogue((state) => state.catalogue);
  return useTab((tab) => {
    const [graph, workflow] = [graphOf(tab), workflowOf(tab)];
    const entry = nodeOf(graph, id);
    return entry && nodeTypeOf(id, entry, { graph, workflow, catalogue });
  });
}

export function nodeTypeNow(id: string, graph: Graph = currentGraph()): NodeType | undefined {
  const entry = nodeOf(graph, id);
  const place = { graph, workflow: workflowOf(currentTab()), catalogue: currentCatalogue() };
  return entry && nodeTypeOf(id, entry, place);
}
