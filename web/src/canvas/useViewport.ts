import { useReactFlow, useStoreApi, type OnMove, type ReactFlowProps } from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";
import { useWish } from "./showNode";
import { noteMove } from "./turns";
import { farthestAtFirst } from "./useFar";
import { scopeOf, useTab } from "@/state/documents";

/** Until a graph that was just opened is drawn. */
const SETTLE_MS = 60;
const views = new Map<string, { x: number; y: number; zoom: number }>();

/** Each graph of each tab keeps where it was looked at; one that is new is shown whole. */
export function useViewport(): Pick<ReactFlowProps, "onMoveStart" | "onMove" | "onMoveEnd"> {
  const scene = useTab((tab) => `${tab.key}\n${scopeOf(tab) ?? ""}`);
  const shown = useRef(scene);
  const { fitView, setViewport } = useReactFlow();
  const store = useStoreApi();
  const show = useCallback(() => {
    const known = views.get(scene);
    const count = store.getState().nodes.length;
    if (known) void setViewport(known);
    else if (count > 0) void fitView({ padding: 0.15, maxZoom: 1, minZoom: farthestAtFirst(count) });
  }, [scene, fitView, setViewport, store]);
  useEffect(() => {
    shown.current = scene;
    const frame = requestAnimationFrame(show);
    return () => cancelAnimationFrame(frame);
  }, [scene, show]);
  const wish = useWish();
  useEffect(() => {
    if (wish.count === 0) return;
    const timer = setTimeout(
      () => void fitView({ nodes: [{ id: wish.id }], maxZoom: 1, padding: 0.5 }),
      SETTLE_MS,
    );
    return () => clearTimeout(timer);
  }, [wish, fitView]);
  const onMoveStart: OnMove = useCallback(
    (event) => {
      const isZoom = event === null || event.type === "wheel";
      store.getState().domNode?.parentElement?.toggleAttribute("data-panning", !isZoom);
    },
    [store],
  );
  const onMoveEnd: OnMove = useCallback(
    (_, viewport) => {
      store.getState().domNode?.parentElement?.removeAttribute("data-panning");
      views.set(shown.current, viewport);
    },
    [store],
  );
  const onMove: OnMove = useCallback((_, { zoom }) => noteMove(zoom), []);
  return { onMoveStart, onMove, onMoveEnd };
}
