import {
  getBezierPath,
  Position,
  useConnection,
  useInternalNode,
  type ConnectionLineComponentProps,
} from "@xyflow/react";
import { useSurface, type End } from "@/state/surface";
import { typeColour } from "./colours";
import { endOfHandle } from "./ends";
import { typeOfEnd, whyRefused } from "./wiring";

const APART = 14;

/** Where on the canvas an output is. */
function usePlaceOf(end: End | undefined): { x: number; y: number } | undefined {
  const node = useInternalNode(end?.node ?? "");
  const handle = node?.internals.handleBounds?.source?.find(({ id }) => id === end?.socket);
  if (node === undefined || !handle) return undefined;
  const { x, y } = node.internals.positionAbsolute;
  return { x: x + handle.x + handle.width / 2, y: y + handle.y + handle.height / 2 };
}

/** The wire that is being drawn; over a socket that refuses it, it says why. */
export function DrawnWire(props: ConnectionLineComponentProps) {
  const { fromX, fromY, toX, toY, fromPosition, toPosition } = props;
  const from = useSurface((surface) => surface.drawing);
  const over = useConnection((connection) => connection.toHandle);
  const pulled = useSurface((surface) => surface.pulled !== undefined);
  const output = usePlaceOf(pulled ? from : undefined);
  const [path] = getBezierPath({
    sourceX: output?.x ?? fromX,
    sourceY: output?.y ?? fromY,
    targetX: toX,
    targetY: toY,
    sourcePosition: output ? Position.Right : fromPosition,
    targetPosition: output ? Position.Left : toPosition,
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
