/** Everything that can be done by a key, in one table: keys are matched here and listed in the shortcuts sheet. */
import type { StringKey } from "@/strings";

export interface Command {
  readonly id: string;
  readonly label: StringKey;
  /** Such as `Ctrl+Enter`, `Shift+A` or `Delete`; Ctrl is Cmd on a Mac. Several do the same. */
  readonly keys: readonly string[];
  /**
   * Where it works: everywhere; but where text is typed or asked for; or on the canvas and its cards, not in a field.
   * Keys of the browser are only listed: it tells in its own way that they were pressed.
   */
  readonly where: keyof typeof PLACES;
  readonly run: () => void;
}

const commands = new Map<string, Command>();

/** Add commands; gives the function that takes them away. */
export function registerCommands(added: readonly Command[]): () => void {
  for (const command of added) commands.set(command.id, command);
  return () => {
    for (const { id } of added) commands.delete(id);
  };
}

export function allCommands(): readonly Command[] {
  return [...commands.values()];
}

/** A pressed key by the name that the table uses. */
export function keyName(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const held = [
    (event.ctrlKey || event.metaKey) && "Ctrl",
    event.altKey && "Alt",
    event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) && "Shift",
  ];
  return [...held.filter(Boolean), key === " " ? "Space" : key].join("+");
}

const FIELDS = "input, textarea, select, [contenteditable], [role=slider]";

/** Whether the keyboard writes into something. */
export function isInField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(FIELDS) !== null;
}

function isOnCanvas(target: EventTarget | null): boolean {
  if (target === document.body) return true;
  return target instanceof Element && target.closest("[data-region=canvas]") !== null && !isInField(target);
}

/** Whether the browser shuts a menu on this key; an open menu may not have the focus yet. */
function closesMenu(event: KeyboardEvent): boolean {
  return event.key === "Escape" && document.querySelector(":popover-open") !== null;
}

const TEXT = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";
const OVER = "dialog, [role=dialog], [role=menu]";

function isFree(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(`${TEXT}, ${OVER}`) === null;
}

const PLACES = {
  everywhere: () => true,
  unlessTyping: isFree,
  canvas: isOnCanvas,
  browser: () => false,
} as const;

/** Run the command of a pressed key. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || closesMenu(event)) return;
  const name = keyName(event);
  const command = allCommands().find(({ keys, where }) => keys.includes(name) && PLACES[where](event.target));
  if (command === undefined) return;
  event.preventDefault();
  command.run();
}
