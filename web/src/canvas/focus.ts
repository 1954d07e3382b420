/** Moving the keyboard's focus about the canvas. */
import { flushSync } from "react-dom";
import { takeAllTurns } from "./turns";

/** Focus a card once it is mounted; one off-screen must be brought into view first. */
export function focusNode(id: string): void {
  const card = cardOf(id);
  if (card) card.focus({ preventScroll: true });
  else focusCanvas();
}

function cardOf(id: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
}

const PATIENCE_FRAMES = 60;
let waiting: number | undefined;

/** Focus the card of a node that was only just added, once it is mounted; unless the focus is elsewhere by then. */
export function focusNodeSoon(id: string): void {
  if (waiting !== undefined) cancelAnimationFrame(waiting);
  const look = (frames: number) => {
    const taken = isSomewhere(document.activeElement);
    if (!taken && cardOf(id)) return focusNode(id);
    waiting = taken || frames === 0 ? undefined : requestAnimationFrame(() => look(frames - 1));
  };
  waiting = requestAnimationFrame(() => look(PATIENCE_FRAMES));
}

/** Whether an element has the focus by its own right: not for want of another one. */
function isSomewhere(element: Element | null): boolean {
  return element !== null && element !== document.body && !element.matches(".board, .react-flow__node");
}

export function focusCanvas(): void {
  document.querySelector<HTMLElement>(".board")?.focus({ preventScroll: true });
}

/** The node whose card has the focus, or holds what has it. */
export function focusedNode(): string | undefined {
  const card = document.activeElement?.closest<HTMLElement>(".react-flow__node");
  return card?.dataset.id;
}

const FIELDS = "input, textarea, select, button, [role=slider]";

/** Enter a card: its first field, or its first socket. */
export function focusInside(id: string): void {
  flushSync(takeAllTurns); // the card may wait to be filled, and the next key is for what is in it
  const card = cardOf(id);
  const inside =
    card?.querySelector<HTMLElement>(`.widget :is(${FIELDS}):not([tabindex="-1"])`) ??
    card?.querySelector<HTMLElement>(".socket");
  inside?.focus();
}
