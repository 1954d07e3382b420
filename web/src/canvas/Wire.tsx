import { BaseEdge, getBezierPath, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { useSurface } from "@/state/surface";
import { typeColour } from "./colours";
import type { FlowEdge } from "./flow";

/** A wire, coloured by what it carries. */
export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const [path] = getBezierPath(props);
  const { target, input, idle } = props.data ?? {};
  const pulled = useSurface((surface) => surface.pulled?.node === target && surface.pulled?.socket === input);
  return (
    <BaseEdge
      path={path}
      interactionWidth={14}
      style={{ stroke: typeColour(props.data?.type ?? "Any") }}
      className={[idle && "wire-idle", pulled && target !== undefined && "wire-pulled"]
        .filter(Boolean)
        .join(" ")}
    />
  );
});
