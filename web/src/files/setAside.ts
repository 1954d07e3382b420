/** What the browser kept and what no longer can be opened: the other tabs open all the same. */
import { BadDocument, readText } from "@/model/reading";
import { EMPTY, type Workflow } from "@/model/document";
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

function readSnapshot({ key, text, saved, place }: Snapshot, dropped: string[]): Restored {
  const read = text === textOf(EMPTY) ? { workflow: EMPTY, dropped: [] } : readText(text); // a blank tab makes room again
  dropped.push(...read.dropped);
  return { key, workflow: read.workflow, saved: saved === text ? read.workflow : asSaved(saved), place };
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
