import { lookUp } from "@/model/document";
import { reroutesOf } from "@/model/reroutes";
import { currentGraph } from "@/state/documents";
import type { End } from "@/state/surface";
import { readFlowId } from "./flow";

interface DrawnHandle {
  nodeId: string;
  id?: string | null;
  type: "source" | "target";
}

/** The end of a wire that a drawn socket is; a reroute stands for the output behind it. */
export function endOfHandle({ nodeId, id, type }: DrawnHandle): End {
  const drawn = readFlowId(nodeId);
  if (drawn.kind === "reroute") {
    const source = lookUp(reroutesOf(currentGraph()), drawn.id)?.source ?? ["", ""];
    return { node: source[0], socket: source[1], side: "output", via: drawn.id };
  }
  return { node: nodeId, socket: id ?? "", side: type === "source" ? "output" : "input" };
}
