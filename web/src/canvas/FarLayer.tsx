import { memo, useCallback, useMemo, useRef } from "react";
import { useCheck } from "@/state/check";
import { prefixOf, useTab } from "@/state/documents";
import { runAt, useRunsOf } from "@/state/runs";
import { useTheme } from "@/theme/useTheme";
import { farMark, severities, type FarMark } from "./farMarks";
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
  const markOf = useMarks();
  const draw = useCallback(
    ({ transform, width, height }: View) => {
      if (canvas.current === null) return;
      fit(canvas.current, width, height);
      paint(canvas.current, { nodes, edges, transform, markOf });
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the colours are those of the theme
    [nodes, edges, markOf, theme],
  );
  useEachView(draw);
  return <canvas ref={canvas} className="far-layer" aria-hidden />;
});

/** What is painted on the cards of the shown graph, as the run and the server tell it. */
function useMarks(): (id: string) => FarMark {
  const key = useTab((tab) => tab.key);
  const prefix = useTab(prefixOf);
  const runs = useRunsOf(key);
  const issues = useCheck((check) => check.issues);
  const worst = useMemo(() => severities(issues, prefix), [issues, prefix]);
  return useCallback((id: string) => farMark(runAt(runs, prefix + id), worst.get(id)), [runs, worst, prefix]);
}

/** Setting a size, even the same, empties a canvas. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
