import { roomOf } from "@/canvas/geometry";
import { editAt, graphAt, nodesOf, type Workflow } from "@/model/document";
import { layOutUnplaced } from "@/model/layout";
import { catalogueThere } from "@/state/catalogue";

/** Nodes without places, as other programs write them, are laid out; those inside subgraphs, too. */
export async function placed(workflow: Workflow): Promise<Workflow> {
  let laid = workflow;
  for (const scope of [null, ...Object.keys(workflow.subgraphs ?? {})]) {
    const graph = graphAt(workflow, scope) ?? {};
    if (Object.values(nodesOf(graph)).every((node) => node.ui?.position !== undefined)) continue;
    const catalogue = await catalogueThere();
    const after = await layOutUnplaced(graph, roomOf({ graph, workflow, catalogue }));
    laid = editAt(laid, scope, () => after);
  }
  return laid;
}
