/** What the browser kept and what no longer can be opened: the other tabs open all the same. */
import { BadDocument, readText } from "@/model/reading";
import { EMPTY, type Workflow } from "@/model/document";
import { begin } from "@/model/history";
import { readKept, type ReadHistory } from "@/model/keptHistory";
import { tell } from "@/state/announcer";
import type { Restored } from "@/state/documents";
import { t } from "@/strings";
import { download, fileStem } from "./exporting";
import { dropSnapshot, textOf, type Snapshot } from "./snapshots";

interface Bad {
  readonly snapshot: Snapshot;
  readonly why: string;
}

export interface Sorted {
  readonly good: readonly (readonly [Snapshot, Restored])[];
  readonly bad: readonly Bad[];
  /** What of the good ones cannot be drawn. */
  readonly dropped: readonly string[];
}

/** Read what was kept; each by itself. */
export function readSnapshots(snapshots: readonly Snapshot[]): Sorted {
  const good: [Snapshot, Restored][] = [];
  const bad: Bad[] = [];
  const dropped: string[] = [];
  for (const snapshot of snapshots)
    try {
      good.push([snapshot, readSnapshot(snapshot, dropped)]);
    } catch (error) {
      if (!(error instanceof BadDocument)) throw error;
      bad.push({ snapshot, why: error.message });
    }
  return { good, bad, dropped };
}

function readSnapshot({ key, text, history, saved, place }: Snapshot, dropped: string[]): Restored {
  const read = text === textOf(EMPTY) ? { workflow: EMPTY, dropped: [] } : readText(text); // a blank tab makes room again
  dropped.push(...read.dropped);
  const kept = read.dropped.length > 0 ? freshHistory(read.workflow) : readHistory(history, read.workflow);
  return { key, history: kept.history, saved: savedIn(kept, saved, text), place };
}

const freshHistory = (workflow: Workflow): ReadHistory<Workflow> => ({ history: begin(workflow) });

/** What can be undone; of steps that are damaged, nothing. */
function readHistory(text: string | undefined, workflow: Workflow): ReadHistory<Workflow> {
  try {
    return text === undefined ? freshHistory(workflow) : readKept(text, workflow);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return freshHistory(workflow);
    throw error;
  }
}

/** The very document of the history, where it is one of those: undone to it, nothing is left to save. */
function savedIn(
  { history, saved }: ReadHistory<Workflow>,
  wanted: string | undefined,
  text: string,
): Workflow | undefined {
  return wanted === text ? history.present : (saved ?? asSaved(wanted));
}

/** As it was saved; of what cannot be read nothing is known to be saved. */
function asSaved(text: string | undefined): Workflow | undefined {
  try {
    return text === undefined ? undefined : readText(text).workflow;
  } catch (error) {
    if (error instanceof BadDocument) return undefined;
    throw error;
  }
}

/** Say what was set aside. It stays in the browser until it was downloaded. */
export function tellSetAside({ bad, dropped }: Sorted): void {
  if (bad.length === 0 && dropped.length === 0) return;
  const list = [
    ...bad.map(({ snapshot, why }) => t("saidOf", { name: snapshot.place ?? t("untitled"), why })),
    ...dropped.map((fault) => t("droppedLook", { fault })),
  ];
  if (bad.length === 0) return tell(t("saidLeftOut", { count: dropped.length }), undefined, list);
  const take = { label: t("download"), run: () => void takeAway(bad) };
  tell(t("saidSetAside", { count: bad.length }), take, list);
}

async function takeAway(bad: readonly Bad[]): Promise<void> {
  for (const { snapshot } of bad) {
    download(`${fileStem(snapshot.place)}.json`, "application/json", snapshot.text);
    await dropSnapshot(snapshot.key);
  }
}
