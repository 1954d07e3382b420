import { getBezierPath, useConnection, type ConnectionLineComponentProps } from "@xyflow/react";
import { useSurface } from "@/state/surface";
import { typeColour } from "./colours";
import { endOfHandle } from "./ends";
import { typeOfEnd, whyRefused } from "./wiring";

const APART = 14;

/** The wire that is being drawn; over a socket that refuses it, it says why. */
export function DrawnWire(props: ConnectionLineComponentProps) {
  const { fromX, fromY, toX, toY, fromPosition, toPosition } = props;
  const from = useSurface((surface) => surface.drawing);
  const over = useConnection((connection) => connection.toHandle);
  const [path] = getBezierPath({
    sourceX: fromX,
    sourceY: fromY,
    targetX: toX,
    targetY: toY,
    sourcePosition: fromPosition,
    targetPosition: toPosition,
  });
  const why = from && over ? whyRefused(from, endOfHandle(over)) : undefined;
  return (
    <g>
      <path d={path} className="drawn-wire" style={{ stroke: typeColour(from ? typeOfEnd(from) : "Any") }} />
      {why !== undefined && (
        <foreignObject x={toX + APART} y={toY + APART} width={280} height={80}>
          <p className="refusal">{why}</p>
        </foreignObject>
      )}
    </g>
  );
}
