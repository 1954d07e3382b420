import { BaseEdge, getBezierPath, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { typeColour } from "./colours";
import type { FlowEdge } from "./flow";

/** A wire, coloured by what it carries. */
export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const [path] = getBezierPath(props);
  return (
    <BaseEdge
      path={path}
      interactionWidth={14}
      style={{ stroke: typeColour(props.data?.type ?? "Any") }}
      {...(props.data?.idle && { className: "wire-idle" })}
    />
  );
});
