/** Undo and redo. Documents are immutable, so the past is a list of documents that share what is alike. */

export interface History<T> {
  readonly past: readonly Step<T>[];
  readonly present: T;
  readonly future: readonly Step<T>[];
  /** What the last step was and when, so that typing and dragging become one step. */
  readonly last?: { readonly kind: string; readonly time: number };
}

/** A document, and the name of the step between it and the one beside it. */
export interface Step<T> {
  readonly value: T;
  readonly name: string;
}

export const LIMIT = 500;
export const PAUSE_MS = 1000;

export interface StepName {
  /** What people read: "Undo move". */
  readonly name: string;
  /** Steps of the same kind within a second are one, such as `type:prompt.text`. */
  readonly merge?: string;
}

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [] };
}

/** Go on to another document. */
export function commit<T>(
  history: History<T>,
  present: T,
  { name, merge }: StepName,
  now: number,
): History<T> {
  if (present === history.present) return history;
  const { last } = history;
  const merged = merge !== undefined && last?.kind === merge && now - last.time < PAUSE_MS;
  const past = merged ? history.past : [...history.past, { value: history.present, name }].slice(-LIMIT);
  return { past, present, future: [], ...(merge !== undefined && { last: { kind: merge, time: now } }) };
}

/** Replace the document without a step: what only says how it is looked at. */
export function amend<T>(history: History<T>, present: T): History<T> {
  return present === history.present ? history : { ...history, present };
}

export function undo<T>({ past, present, future }: History<T>): History<T> | undefined {
  const step = past.at(-1);
  if (step === undefined) return undefined;
  return {
    past: past.slice(0, -1),
    present: step.value,
    future: [{ value: present, name: step.name }, ...future],
  };
}

export function redo<T>({ past, present, future }: History<T>): History<T> | undefined {
  const [step, ...rest] = future;
  if (step === undefined) return undefined;
  return { past: [...past, { value: present, name: step.name }], present: step.value, future: rest };
}

export function undoName(history: History<unknown>): string | undefined {
  return history.past.at(-1)?.name;
}

export function redoName(history: History<unknown>): string | undefined {
  return history.future[0]?.name;
}
