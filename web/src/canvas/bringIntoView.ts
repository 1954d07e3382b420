import type { useReactFlow } from "@xyflow/react";
import { nodeOf } from "@/model/document";
import { currentGraph } from "@/state/documents";
import { sizeOf } from "./cardSizes";
import { focusNodeSoon } from "./focus";

export type Flow = ReturnType<typeof useReactFlow>;

/** Nearer than this, what is on a card can be read. */
const READABLE = 0.6;

/** Focus a card and bring it into view. */
export function bringIntoView(flow: Flow, id: string): void {
  moveIntoView(flow, id);
  focusNodeSoon(id);
}

/** The canvas moves only where a card is not all in view. */
export function moveIntoView(flow: Flow, id: string): void {
  const entry = nodeOf(currentGraph(), id);
  if (entry === undefined) return;
  const [x, y] = entry.ui?.position ?? [0, 0];
  const [width, height] = sizeOf(id, entry);
  const zoom = Math.max(flow.getZoom(), READABLE);
  const { x: left, y: top } = flow.flowToScreenPosition({ x, y });
  const { x: right, y: bottom } = flow.flowToScreenPosition({ x: x + width, y: y + height });
  if (zoom !== flow.getZoom() || !isInBoard(left, top, right, bottom))
    void flow.setCenter(x + width / 2, y + height / 2, { zoom });
}

function isInBoard(left: number, top: number, right: number, bottom: number): boolean {
  const board = document.querySelector(".board")?.getBoundingClientRect() ?? new DOMRect();
  return left >= board.left && top >= board.top && right <= board.right && bottom <= board.bottom;
}
