import { useReactFlow, useStore, useStoreApi, type OnMove, type ReactFlowProps } from "@xyflow/react";
import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useRef } from "react";
import { useCatalogue } from "@/state/catalogue";
import { scopeOf, useTab } from "@/state/documents";
import type { FlowNode } from "./flow";
import { moveIntoView } from "./bringIntoView";
import { useWish } from "./showNode";
import { noteMove, noteOpened } from "./turns";
import { farthestAtFirst } from "./useFar";
import { keepShowingAll, showAll } from "./wholeView";

/** Until a graph that was just opened is drawn. */
const SETTLE_MS = 60;
const views = new Map<string, { x: number; y: number; zoom: number }>();

/** Each graph of each tab keeps where it was looked at; one that is new is shown whole. */
export function useViewport(
  nodes: readonly FlowNode[],
): Pick<ReactFlowProps, "onMoveStart" | "onMove" | "onMoveEnd"> {
  const scene = useTab((tab) => `${tab.key}\n${scopeOf(tab) ?? ""}`);
  const shown = useRef(scene);
  const flow = useReactFlow();
  const store = useStoreApi();
  const show = useEffectEvent(() => {
    const known = views.get(scene);
    if (known) void flow.setViewport(known);
    else showAll(flow, nodes, farthestAtFirst(nodes.length));
  });
  // Before anything of it is mounted: what is out of sight then never is.
  useLayoutEffect(() => {
    shown.current = scene;
    noteOpened();
    if (store.getState().panZoom !== null) return show();
    const frame = requestAnimationFrame(() => show());
    return () => cancelAnimationFrame(frame);
  }, [scene, store]);
  useStayingWhole();
  useWishes();
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

/** Panels take room, and the sizes of cards are known once the types of their nodes are. */
function useStayingWhole(): void {
  const flow = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const catalogue = useCatalogue((state) => state.catalogue);
  useEffect(() => keepShowingAll(flow), [flow, width, height, catalogue]);
}

/** Bring into view what is wished for. */
function useWishes(): void {
  const flow = useReactFlow();
  const wish = useWish();
  useEffect(() => {
    if (wish.count === 0) return;
    const show = () => {
      if (wish.near) void flow.fitView({ nodes: [{ id: wish.id }], maxZoom: 1, padding: 0.5 });
      else moveIntoView(flow, wish.id);
    };
    const timer = setTimeout(show, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wish, flow]);
}
