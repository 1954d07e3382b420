/** Open workflows as they are, kept in the browser: nothing is lost by a closed tab, a crash or a lost server. */
import { createStore, del, entries, set } from "idb-keyval";
import type { Workflow } from "@/model/document";
import { parseJson, writeJson } from "@/model/json";

export interface Snapshot {
  readonly key: string;
  /** The browser tab that holds it. */
  readonly window: string;
  readonly text: string;
  /** The text as it was last saved, where it is saved anywhere. */
  readonly saved: string | undefined;
  readonly place: string | undefined;
  readonly etag: string | undefined;
  /** Its place among the tabs, and whether it was in front. */
  readonly index: number;
  readonly front: boolean;
  readonly time: number;
}

const store = createStore("nodegraph", "snapshots");

export async function keepSnapshot(snapshot: Snapshot): Promise<void> {
  await set(snapshot.key, snapshot, store);
}

export async function dropSnapshot(key: string): Promise<void> {
  await del(key, store);
}

export async function allSnapshots(): Promise<Snapshot[]> {
  const found = await entries<string, Snapshot>(store);
  return found.map(([, snapshot]) => snapshot).sort((one, other) => one.index - other.index);
}

const LEFT = "nodegraph.left.";

/**
 * Put down what is not kept yet, as a page goes: the database would take it only after the page is gone.
 *
 * There is little room here. What does not fit is left to the database, which may still get it.
 */
export function leaveSnapshots(window: string, snapshots: readonly Snapshot[], place: Storage): void {
  if (snapshots.length === 0) return;
  try {
    place.setItem(LEFT + window, JSON.stringify(snapshots));
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "QuotaExceededError")) throw error;
  }
}

/** What was put down is kept by now. */
export function forgetLeft(window: string, place: Storage): void {
  place.removeItem(LEFT + window);
}

/** Take what was put down, and keep what is newer than what the database has. */
export async function takeLeft(place: Storage): Promise<void> {
  const kept = new Map((await allSnapshots()).map(({ key, time }) => [key, time]));
  for (const name of Object.keys(place).filter((name) => name.startsWith(LEFT))) {
    const left = JSON.parse(place.getItem(name) ?? "[]") as readonly Snapshot[];
    await Promise.all(left.filter(({ key, time }) => time > (kept.get(key) ?? 0)).map(keepSnapshot));
    place.removeItem(name);
  }
}

/** Those to open here: of this browser tab, and of closed ones whatever was not saved. */
export function toRecover(
  snapshots: readonly Snapshot[],
  own: string,
  alive: ReadonlySet<string>,
): Snapshot[] {
  return snapshots.filter(
    ({ window, text, saved }) => window === own || (!alive.has(window) && text !== saved),
  );
}

/** Those that nobody needs: saved ones of closed browser tabs. */
export function toForget(
  snapshots: readonly Snapshot[],
  own: string,
  alive: ReadonlySet<string>,
): Snapshot[] {
  return snapshots.filter(
    ({ window, text, saved }) => window !== own && !alive.has(window) && text === saved,
  );
}

export const textOf = (workflow: Workflow): string => writeJson(workflow);
export const workflowIn = (text: string): Workflow => parseJson(text) as unknown as Workflow;
