import { getBezierPath, Position, useStore, ViewportPortal } from "@xyflow/react";
import { memo } from "react";
import { typeColour } from "./colours";
import type { FlowEdge, FlowNode } from "./flow";

/** All wires as one drawing with a path for each type: from afar none of them is met. */
export const FarWires = memo(function FarWires({ edges }: { edges: readonly FlowEdge[] }) {
  const nodes = useStore((state) => state.nodes) as FlowNode[];
  return (
    <ViewportPortal>
      <svg className="far-wires" aria-hidden>
        {[...pathsByType(edges, nodes)].map(([type, pieces]) => (
          <path key={type} d={pieces.join("")} style={{ stroke: typeColour(type) }} />
        ))}
      </svg>
    </ViewportPortal>
  );
});

function pathsByType(edges: readonly FlowEdge[], nodes: readonly FlowNode[]): Map<string, string[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const paths = new Map<string, string[]>();
  for (const edge of edges) {
    const piece = pieceOf(edge, byId);
    const type = edge.data?.type ?? "Any";
    if (piece !== undefined) add(paths, type, piece);
  }
  return paths;
}

function add(paths: Map<string, string[]>, type: string, piece: string): void {
  const known = paths.get(type);
  if (known) known.push(piece);
  else paths.set(type, [piece]);
}

function pieceOf(edge: FlowEdge, nodes: ReadonlyMap<string, FlowNode>): string | undefined {
  const source = endAt(nodes.get(edge.source), "source", edge.sourceHandle);
  const target = endAt(nodes.get(edge.target), "target", edge.targetHandle);
  if (source === undefined || target === undefined) return undefined;
  const [path] = getBezierPath({
    sourceX: source.x,
    sourceY: source.y,
    sourcePosition: Position.Right,
    targetX: target.x,
    targetY: target.y,
    targetPosition: Position.Left,
  });
  return path;
}

function endAt(node: FlowNode | undefined, type: "source" | "target", id: string | null | undefined) {
  const handle = node?.handles?.find((one) => one.type === type && one.id === id);
  if (node === undefined || handle === undefined) return undefined;
  const { width = 0, height = 0 } = handle;
  return { x: node.position.x + handle.x + width / 2, y: node.position.y + handle.y + height / 2 };
}
