/** Moving the keyboard's focus about the canvas. */

/** Focus a card once it is mounted; one off-screen must be brought into view first. */
export function focusNode(id: string): void {
  const card = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
  if (card) card.focus({ preventScroll: true });
  else focusCanvas();
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
  const card = document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
  const inside =
    card?.querySelector<HTMLElement>(`.widget :is(${FIELDS}):not([tabindex="-1"])`) ??
    card?.querySelector<HTMLElement>(".socket");
  inside?.focus();
}
