/** Open workflows as they are, kept in the browser: nothing is lost by a closed tab, a crash or a lost server. */
import type { Workflow } from "@/model/document";
import type { History } from "@/model/history";
import { writeJson } from "@/model/json";
import { keptHistory } from "@/model/keptHistory";
import { editsTable, isRecord, listOf, readJson, type Texts } from "@/state/browserStores";

export interface Snapshot {
  readonly key: string;
  /** The browser tab that holds it. */
  readonly window: string;
  readonly text: string;
  /** The steps that can be undone and redone, as `keptHistory` gives them. */
  readonly history?: string | undefined;
  /** The text as it was last saved, where it is saved anywhere. */
  readonly saved: string | undefined;
  readonly place: string | undefined;
  readonly etag: string | undefined;
  /** Its place among the tabs, and whether it was in front. */
  readonly index: number;
  readonly front: boolean;
  readonly time: number;
  /** When its tab was closed; it can be opened again. */
  readonly closed?: number | undefined;
}

const TYPES = { key: "string", window: "string", text: "string", index: "number", time: "number" } as const;
const PERHAPS = {
  history: "string",
  saved: "string",
  place: "string",
  etag: "string",
  closed: "number",
} as const;

/** Whether something read is a snapshot; whether its text is a workflow is asked when it is opened. */
function isSnapshot(value: unknown): value is Snapshot {
  if (!isRecord(value)) return false;
  const fits = (type: string, name: string) => typeof value[name] === type;
  const whole = Object.entries(TYPES).every(([name, type]) => fits(type, name));
  const rest = Object.entries(PERHAPS).every(([name, type]) => value[name] === undefined || fits(type, name));
  return whole && rest;
}

const table = editsTable("snapshots", isSnapshot);

/** Keep a snapshot; where there is no room for what can be undone, without that. Gives whether it is kept. */
export async function keepSnapshot(snapshot: Snapshot): Promise<boolean> {
  const { history, ...bare } = snapshot;
  if (await table.put(snapshot.key, snapshot)) return true;
  return history !== undefined && table.put(snapshot.key, bare);
}

export const dropSnapshot = table.drop;

export async function allSnapshots(): Promise<Snapshot[]> {
  return (await table.all()).sort((one, other) => one.index - other.index);
}

const LEFT = "nodegraph.left.";

/** Characters that are put down with what can be undone; browsers give all pages of a site some five million. */
const MOST_LEFT = 1_000_000;

/**
 * Put down what is not kept yet, as a page goes: the database would take it only after the page is gone.
 *
 * There is little room here. What can be undone goes first; what does not fit even so is left to the database,
 * which may still get it.
 */
export function leaveSnapshots(window: string, snapshots: readonly Snapshot[], texts: Texts): void {
  if (snapshots.length === 0) return;
  const whole = JSON.stringify(snapshots);
  const bare = () => JSON.stringify(snapshots.map(({ history: _, ...snapshot }) => snapshot));
  texts.write(LEFT + window, whole.length <= MOST_LEFT ? whole : bare());
}

/** What was put down is kept by now. */
export function forgetLeft(window: string, texts: Texts): void {
  texts.remove(LEFT + window);
}

/** Take what was put down, and keep what is newer than what the database has. */
export async function takeLeft(texts: Texts): Promise<void> {
  const kept = new Map((await allSnapshots()).map(({ key, time }) => [key, time]));
  for (const name of texts.names().filter((name) => name.startsWith(LEFT))) {
    const left = readJson(texts, name, listOf(isSnapshot)) ?? [];
    const newer = left.filter(({ key, time }) => time > (kept.get(key) ?? 0));
    const all = await Promise.all(newer.map(keepSnapshot));
    if (all.every(Boolean)) texts.remove(name); // else it is all there is
  }
}

/** What becomes of the snapshots that a page finds. */
export interface Found {
  /** To open: what was open in this browser tab, and whatever was not saved in one that is gone. */
  readonly open: Snapshot[];
  /** To open again on request: what was closed here or in one that is gone, the last one last. */
  readonly closed: Snapshot[];
  /** Nobody needs them: saved ones of browser tabs that are gone, and those that were closed long before. */
  readonly forget: Snapshot[];
}

export function sortOut(
  snapshots: readonly Snapshot[],
  own: string,
  alive: ReadonlySet<string>,
  mostClosed: number,
): Found {
  const free = snapshots.filter(({ window }) => window === own || !alive.has(window));
  const open = free.filter(({ closed }) => closed === undefined);
  const closed = free.filter((snapshot) => snapshot.closed !== undefined).sort(byClosing);
  const needed = ({ window, text, saved }: Snapshot) => window === own || text !== saved;
  return {
    open: open.filter(needed),
    closed: closed.slice(-mostClosed),
    forget: [...open.filter((snapshot) => !needed(snapshot)), ...closed.slice(0, -mostClosed)],
  };
}

const byClosing = (one: Snapshot, other: Snapshot): number => (one.closed ?? 0) - (other.closed ?? 0);

/** Those that are not kept as they are; `time` alone makes no difference. */
export function toKeep(now: readonly Snapshot[], kept: ReadonlyMap<string, Snapshot>): Snapshot[] {
  return now.filter((snapshot) => {
    const before = kept.get(snapshot.key);
    return before === undefined || FIELDS.some((field) => snapshot[field] !== before[field]);
  });
}

const FIELDS = ["window", "text", "history", "saved", "place", "etag", "index", "front", "closed"] as const;

const texts = new WeakMap<Workflow, string>();

/** The text of a workflow; each is written once, because most of those that are open do not change. */
export function textOf(workflow: Workflow): string {
  const text = texts.get(workflow) ?? writeJson(workflow);
  texts.set(workflow, text);
  return text;
}

interface Written {
  readonly saved: Workflow | undefined;
  readonly text: string | undefined;
}

const histories = new WeakMap<History<Workflow>, Written>();

/** What of a history is kept, and where in it the saved workflow is; as a text it is made once. */
export function historyOf(history: History<Workflow>, saved: Workflow | undefined): string | undefined {
  const known = histories.get(history);
  if (known && known.saved === saved) return known.text;
  const text = keptHistory(history, saved);
  histories.set(history, { saved, text });
  return text;
}
