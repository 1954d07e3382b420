import { useReactFlow, type ReactFlowProps } from "@xyflow/react";
import { useMemo, type MouseEvent as ReactMouseEvent } from "react";
import { currentTab, enterNode, select } from "@/state/documents";
import { openMenu, openSearch, type MenuRequest } from "@/state/surface";
import { readFlowId, type FlowEdge, type FlowNode } from "./flow";

type Props = Pick<
  ReactFlowProps<FlowNode, FlowEdge>,
  | "onNodeContextMenu"
  | "onEdgeContextMenu"
  | "onPaneContextMenu"
  | "onSelectionContextMenu"
  | "onDoubleClick"
  | "onNodeDoubleClick"
>;

/** Double clicks and context menus; the same functions every time, else all nodes and wires would be rendered anew. */
export function useGestures(): Props {
  const { screenToFlowPosition } = useReactFlow();
  return useMemo(() => gesturesOn(screenToFlowPosition), [screenToFlowPosition]);
}

function gesturesOn(toFlow: (place: { x: number; y: number }) => { x: number; y: number }): Props {
  const menu = (event: ReactMouseEvent | MouseEvent, target: MenuRequest["target"]) => {
    const inField = event.target instanceof Element && event.target.closest("input, textarea");
    if (inField) return; // the browser's own menu, for pasting
    event.preventDefault();
    const { x, y } = toFlow({ x: event.clientX, y: event.clientY });
    openMenu({ x: event.clientX, y: event.clientY, target, at: [x, y] });
  };
  return {
    onNodeContextMenu: (event, node) => {
      if (!currentTab().selection.has(node.id)) select([node.id]);
      menu(event, readFlowId(node.id));
    },
    onSelectionContextMenu: (event, [first]) =>
      menu(event, first ? readFlowId(first.id) : { kind: "canvas", id: "" }),
    onEdgeContextMenu: (event, edge) => menu(event, { kind: "wire", id: edge.id }),
    onPaneContextMenu: (event) => menu(event, { kind: "canvas", id: "" }),
    onDoubleClick: (event) => {
      if (!(event.target instanceof Element) || !event.target.classList.contains("react-flow__pane")) return;
      const { x, y } = toFlow({ x: event.clientX, y: event.clientY });
      openSearch({ at: [x, y] });
    },
    onNodeDoubleClick: (event, node) => {
      const onTitle =
        event.target instanceof Element && event.target.closest(".card-title, input, textarea, button");
      if (!onTitle) enterNode(node.id);
    },
  };
}
