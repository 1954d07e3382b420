import { useStore, useStoreApi } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { useTheme } from "@/theme/useTheme";
import { paint } from "./farPainting";
import type { FlowEdge, FlowNode } from "./flow";

interface Props {
  nodes: readonly FlowNode[];
  edges: readonly FlowEdge[];
}

/** A large workflow seen from afar: one canvas, on which a frame costs the same whatever is mounted. */
export const FarLayer = memo(function FarLayer({ nodes, edges }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useStore(sizeOf, sameSize);
  const store = useStoreApi();
  const theme = useTheme();
  useEffect(() => {
    const target = canvas.current;
    if (target === null) return;
    const draw = () => paint(target, { nodes, edges, transform: store.getState().transform });
    draw();
    return store.subscribe((state, before) => {
      if (state.transform !== before.transform) draw();
    });
  }, [nodes, edges, store, width, height, theme]);
  return <canvas ref={canvas} className="far-layer" width={width} height={height} aria-hidden />;
});

interface Size {
  width: number;
  height: number;
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });
const sameSize = (one: Size, other: Size): boolean =>
  one.width === other.width && one.height === other.height;
