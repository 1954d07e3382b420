import { memo, useCallback, useRef } from "react";
import { useTheme } from "@/theme/useTheme";
import { paint } from "./farPainting";
import type { FlowEdge, FlowNode } from "./flow";
import { useEachView, type View } from "./useEachView";

interface Props {
  nodes: readonly FlowNode[];
  edges: readonly FlowEdge[];
}

/** A large workflow seen from afar: one canvas, on which a frame costs the same whatever is mounted. */
export const FarLayer = memo(function FarLayer({ nodes, edges }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const draw = useCallback(
    ({ transform, width, height }: View) => {
      if (canvas.current === null) return;
      fit(canvas.current, width, height);
      paint(canvas.current, { nodes, edges, transform });
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the colours are those of the theme
    [nodes, edges, theme],
  );
  useEachView(draw);
  return <canvas ref={canvas} className="far-layer" aria-hidden />;
});

/** Setting a size, even the same, empties a canvas. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
