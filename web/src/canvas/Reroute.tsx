import { Handle, Position, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import { useTab, graphOf } from "@/state/documents";
import { lookUp } from "@/model/document";
import { reroutesOf } from "@/model/reroutes";
import { typeColour } from "./colours";
import { readFlowId, type FlowNode } from "./flow";
import { typeOfEnd } from "./wiring";

/** A point that wires pass through. */
export const Reroute = memo(function Reroute({ id }: NodeProps<FlowNode>) {
  const source = useTab((tab) => lookUp(reroutesOf(graphOf(tab)), readFlowId(id).id)?.source);
  const type = source ? typeOfEnd({ node: source[0], socket: source[1], side: "output" }) : "Any";
  return (
    <div className="reroute" style={{ color: typeColour(type) }}>
      <Handle
        id="in"
        type="target"
        position={Position.Left}
        className="reroute-handle"
        isConnectable={false}
      />
      <Handle id="out" type="source" position={Position.Right} className="reroute-handle" />
    </div>
  );
});
