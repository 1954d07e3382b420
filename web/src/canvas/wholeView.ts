/** The view that shows everything; it stays so while the room for it changes, until somebody moves it. */
import { getViewportForBounds, type Viewport } from "@xyflow/react";
import type { Flow } from "./bringIntoView";
import type { FlowNode } from "./flow";
import { isMiddleBare, mainPart } from "./mainPart";
import { around, type Bounds } from "./minimapScale";

export const LEAST_ZOOM = 0.08;
const MOST_ZOOM = 1;
const PADDING = 0.1;

interface Whole {
  readonly view: Viewport;
  readonly least: number;
}

let shown: Whole | undefined;

/**
 * Show all of `nodes`, or the middle of them where they would be smaller than at the zoom `least`; where nothing is in
 * the middle, as with one node far out, where most of them are.
 */
export function showAll(flow: Flow, nodes: readonly FlowNode[], least = LEAST_ZOOM): void {
  const room = document.querySelector(".board")?.getBoundingClientRect();
  if (nodes.length === 0 || !room?.width || !room.height) return;
  const boxes = nodes.map(boundsOf);
  const [width, height] = [room.width / least, room.height / least];
  const all = around(boxes);
  const bounds = isMiddleBare(boxes, all, width, height) ? around(mainPart(boxes, width, height)) : all;
  const view = getViewportForBounds(bounds, room.width, room.height, least, MOST_ZOOM, PADDING);
  shown = { view, least };
  void flow.setViewport(view);
}

export function showEverything(flow: Flow): void {
  showAll(flow, flow.getNodes() as FlowNode[]);
}

/** Show everything again if that is what was seen, now that there is more or less room. */
export function keepShowingAll(flow: Flow): void {
  if (shown && isSame(shown.view, flow.getViewport()))
    showAll(flow, flow.getNodes() as FlowNode[], shown.least);
}

function isSame(one: Viewport, other: Viewport): boolean {
  return one.x === other.x && one.y === other.y && one.zoom === other.zoom;
}

export function boundsOf({ position, measured }: FlowNode): Bounds {
  return { ...position, width: measured?.width ?? 0, height: measured?.height ?? 0 };
}
