import { useReactFlow } from "@xyflow/react";
import { useRef, type PointerEvent as ReactPointerEvent } from "react";
import { currentTab, select } from "@/state/documents";
import { useSettings } from "@/state/settings";
import { focusCanvas } from "./focus";
import type { FlowNode } from "./flow";
import { GRID } from "./geometry";
import { topAt } from "./useFarGestures";
import type { Dragging, Places } from "./useFlow";

/** Less far than this, in pixels of the screen, a press is a click. */
const CLICK = 4;

interface Grip {
  readonly pointer: number;
  readonly from: { readonly x: number; readonly y: number };
  readonly places: Places;
  moved: boolean;
}

type Handler = (event: ReactPointerEvent<HTMLElement>) => void;
type Handlers = Record<"onPointerDownCapture" | "onPointerMove" | "onPointerUp" | "onPointerCancel", Handler>;

/** Dragging painted cards with the mouse: what is pressed, or with it all that is selected. */
export function useFarDrag(nodes: readonly FlowNode[], { move, letGo }: Dragging): Handlers {
  const { screenToFlowPosition, getZoom } = useReactFlow();
  const grip = useRef<Grip | undefined>(undefined);
  const release: Handler = () => {
    if (grip.current?.moved) letGo();
    grip.current = undefined;
  };
  return {
    onPointerDownCapture: (event) => {
      if (!isPlainPress(event)) return;
      const at = { x: event.clientX, y: event.clientY };
      const top = topAt(nodes, screenToFlowPosition(at));
      if (top === undefined) return;
      event.stopPropagation();
      event.preventDefault(); // or the pane would take it for the start of a pan
      focusCanvas();
      if (!currentTab().selection.has(top)) select([top]);
      event.currentTarget.setPointerCapture(event.pointerId);
      grip.current = { pointer: event.pointerId, from: at, places: placesOfSelected(nodes), moved: false };
    },
    onPointerMove: (event) => {
      const held = grip.current;
      if (held?.pointer !== event.pointerId) return;
      const [dx, dy] = [event.clientX - held.from.x, event.clientY - held.from.y];
      held.moved ||= Math.hypot(dx, dy) >= CLICK;
      if (held.moved) move(shifted(held.places, dx / getZoom(), dy / getZoom()));
    },
    onPointerUp: release,
    onPointerCancel: release,
  };
}

function isPlainPress(event: ReactPointerEvent): boolean {
  const { target, button, pointerType, ctrlKey, metaKey, shiftKey } = event;
  const onPane = target instanceof Element && target.classList.contains("react-flow__pane");
  return onPane && button === 0 && pointerType !== "touch" && !ctrlKey && !metaKey && !shiftKey;
}

function placesOfSelected(nodes: readonly FlowNode[]): Places {
  const { selection } = currentTab();
  return new Map(nodes.filter(({ id }) => selection.has(id)).map(({ id, position }) => [id, position]));
}

function shifted(places: Places, dx: number, dy: number): Places {
  const step = useSettings.getState().snap ? GRID : 1;
  const onGrid = (value: number) => Math.round(value / step) * step;
  return new Map([...places].map(([id, { x, y }]) => [id, { x: onGrid(x + dx), y: onGrid(y + dy) }]));
}
