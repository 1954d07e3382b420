import { nodeOf, type SubgraphEntry } from "@/model/document";
import { currentGraph } from "@/state/documents";
import { outputsInUse } from "@/state/nodeTypes";
import { nodeTypeNow } from "@/state/shownTypes";

/** The output that gives the mask of a node's picture, where it goes nowhere, and what the node is called. */
export function unusedMask(id: string): { output: string; title: string } | undefined {
  const graph = currentGraph() as SubgraphEntry;
  const type = nodeTypeNow(id, graph);
  const output = type?.outputs.find((one) => one.type === "Mask")?.name;
  if (type === undefined || output === undefined) return undefined;
  const shown = Object.values(graph.outputs ?? {}).some(([node, name]) => node === id && name === output);
  if (shown || outputsInUse(graph).get(id)?.includes(output)) return undefined;
  return { output, title: nodeOf(graph, id)?.ui?.title ?? type.title };
}
