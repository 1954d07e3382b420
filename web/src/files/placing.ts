import { roomOf } from "@/canvas/geometry";
import { layOutUnplaced, type InputsOf } from "@/model/arranging";
import { editAt, graphAt, nodesOf, type Workflow } from "@/model/document";
import { catalogueThere } from "@/state/catalogue";
import { nodeTypeOf } from "@/state/nodeTypes";

/** Nodes without places, as other programs write them, are laid out; those inside subgraphs, too. */
export async function placed(workflow: Workflow): Promise<Workflow> {
  let laid = workflow;
  for (const scope of [null, ...Object.keys(workflow.subgraphs ?? {})]) {
    const graph = graphAt(workflow, scope) ?? {};
    if (Object.values(nodesOf(graph)).every((node) => node.ui?.position !== undefined)) continue;
    const place = { graph, workflow, catalogue: await catalogueThere() };
    const inputsOf: InputsOf = (id, entry) => nodeTypeOf(id, entry, place).inputs.map(({ name }) => name);
    const after = await layOutUnplaced(graph, { sizeOf: roomOf(place), inputsOf });
    laid = editAt(laid, scope, () => after);
  }
  return laid;
}
