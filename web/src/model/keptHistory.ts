/**
 * A history as text, to be kept: each document as what differs from the one after it, as far as there is room.
 *
 * Documents share what is alike, so a difference is found without looking at what two of them have in common.
 */
import { begin, type History, type Step } from "./history";
import { carryNumberTexts, numberText, parseJson, writeJson } from "./json";

type Document = Readonly<Record<string, unknown>>;

/** What leads from one object to another. */
interface Patch {
  /** All keys in order, where they are not the same. */
  readonly keys?: readonly string[];
  readonly set?: Document;
  /** Changes of objects that both have. */
  readonly in?: Readonly<Record<string, Patch>>;
}

interface KeptStep {
  readonly name: string;
  readonly patch: Patch;
}

interface Kept {
  /** The steps back from the present, and those forth. */
  readonly back: readonly KeptStep[];
  readonly forth: readonly KeptStep[];
  /** Where the saved document is: how many steps forth, or back if negative. */
  readonly saved?: number;
}

/** Steps in one direction. */
export const MOST_STEPS = 100;

/** Characters of the steps in one direction. */
export const MOST_CHARACTERS = 250_000;

/** The steps around the present document, the farthest left out; nothing where there is none. */
export function keptHistory<D extends object>(history: History<D>, saved?: D): string | undefined {
  const { past, present, future } = history;
  if (past.length + future.length === 0) return undefined;
  const back = keptSteps(present, past.toReversed());
  const forth = keptSteps(present, future);
  const at = [...past.map(({ value }) => value), present, ...future.map(({ value }) => value)];
  const found = saved === undefined ? -1 : at.lastIndexOf(saved);
  const place = found === -1 ? "" : `,"saved":${found - past.length}`;
  return `{"back":[${back.join()}],"forth":[${forth.join()}]${place}}`;
}

function keptSteps<D extends object>(present: D, steps: readonly Step<D>[]): string[] {
  const kept: string[] = [];
  let [from, room] = [present, MOST_CHARACTERS];
  for (const step of steps.slice(0, MOST_STEPS)) {
    const text = stepText(from, step);
    room -= text.length;
    if (room < 0) break;
    kept.push(text);
    from = step.value;
  }
  return kept;
}

const written = new WeakMap<object, { readonly from: object; readonly text: string }>();

/** Each step is written once: all but the nearest stay what they were. */
function stepText<D extends object>(from: D, step: Step<D>): string {
  const known = written.get(step);
  if (known?.from === from) return known.text;
  const text = writeJson({ name: step.name, patch: difference(from as Document, step.value as Document) });
  written.set(step, { from, text });
  return text;
}

export interface ReadHistory<D> {
  readonly history: History<D>;
  /** The saved document, where it is in the history. */
  readonly saved?: D;
}

/** A history as it was kept, around its present document. */
export function readKept<D extends object>(text: string, present: D): ReadHistory<D> {
  const { back, forth, saved } = parseJson(text) as unknown as Kept;
  const [past, future] = [stepsOf(present, back).toReversed(), stepsOf(present, forth)];
  const history = { ...begin(present), past, future };
  if (saved === undefined) return { history };
  const found = saved === 0 ? present : (saved < 0 ? past.at(saved) : future[saved - 1])?.value;
  return { history, ...(found && { saved: found }) };
}

function stepsOf<D extends object>(present: D, kept: readonly KeptStep[]): Step<D>[] {
  let from: unknown = present;
  return kept.map(({ name, patch }) => {
    from = patched(from as Document, patch);
    return { name, value: from as D };
  });
}

function difference(from: Document, to: Document): Patch {
  const [before, after] = [from, to].map(keysOf) as [string[], string[]];
  const sameKeys = before.length === after.length && before.every((key, index) => key === after[index]);
  const changed = after.filter((key) => !isAlike(from, to, key));
  const areObjects = (key: string) => isObject(valueOf(from, key)) && isObject(to[key]);
  const deep = changed.filter(areObjects);
  const whole = changed.filter((key) => !areObjects(key));
  const set = Object.fromEntries(whole.map((key) => [key, to[key]]));
  carryNumberTexts(to, set, whole);
  const inner = deep.map((key) => [key, difference(from[key] as Document, to[key] as Document)] as const);
  return {
    ...(!sameKeys && { keys: after }),
    ...(whole.length > 0 && { set }),
    ...(deep.length > 0 && { in: Object.fromEntries(inner) }),
  };
}

function patched(from: Document, { keys = Object.keys(from), set = {}, in: inner = {} }: Patch): Document {
  const value = (key: string) => {
    if (Object.hasOwn(set, key)) return set[key];
    const patch = valueOf(inner, key);
    return patch === undefined ? from[key] : patched(from[key] as Document, patch as Patch);
  };
  const to = Object.fromEntries(keys.map((key) => [key, value(key)]));
  const kept = keys.filter((key) => !Object.hasOwn(set, key));
  carryNumberTexts(from, to, kept);
  carryNumberTexts(set, to, Object.keys(set));
  return to;
}

function isAlike(from: Document, to: Document, key: string): boolean {
  return valueOf(from, key) === to[key] && numberText(from, key) === numberText(to, key);
}

/** What is `undefined` is not written. */
const keysOf = (holder: Document): string[] => Object.keys(holder).filter((key) => holder[key] !== undefined);

const valueOf = (holder: Document, key: string): unknown =>
  Object.hasOwn(holder, key) ? holder[key] : undefined;

function isObject(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
