import { useReactFlow, type ReactFlowProps } from "@xyflow/react";
import { useRef, type MouseEvent as ReactMouseEvent } from "react";
import { currentTab, select } from "@/state/documents";
import { isIn } from "./farPainting";
import type { FlowEdge, FlowNode } from "./flow";

type Props = Pick<ReactFlowProps<FlowNode, FlowEdge>, "onPaneClick" | "onSelectionStart" | "onSelectionEnd">;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Selecting with the mouse where nothing is mounted that could be met: a click, and a box drawn round cards. */
export function useFarGestures(nodes: readonly FlowNode[]): Props {
  const { screenToFlowPosition } = useReactFlow();
  const start = useRef<Place | undefined>(undefined);
  const placeOf = (event: ReactMouseEvent): Place =>
    screenToFlowPosition({ x: event.clientX, y: event.clientY });
  return {
    onPaneClick: (event) => {
      const place = placeOf(event);
      const top = topAt(nodes, place);
      const others = event.ctrlKey || event.metaKey || event.shiftKey ? currentTab().selection : [];
      if (top !== undefined) select([...others, top]);
    },
    onSelectionStart: (event) => {
      start.current = placeOf(event);
    },
    onSelectionEnd: (event) => {
      if (start.current) select(nodesIn(nodes, start.current, placeOf(event)));
      start.current = undefined;
    },
  };
}

/** What lies uppermost at a place, frames left out. */
export function topAt(nodes: readonly FlowNode[], place: Place): string | undefined {
  return nodesIn(nodes, place, place).at(-1);
}

function nodesIn(nodes: readonly FlowNode[], one: Place, other: Place): string[] {
  const view = {
    left: Math.min(one.x, other.x),
    top: Math.min(one.y, other.y),
    right: Math.max(one.x, other.x),
    bottom: Math.max(one.y, other.y),
  };
  return nodes.filter((node) => node.type !== "frame" && isIn(node, view)).map(({ id }) => id);
}
