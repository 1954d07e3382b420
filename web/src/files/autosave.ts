/** Keeping every open workflow in the browser, and opening them again. */
import { tell } from "@/state/announcer";
import { restoreTabs, useDocuments, workflowOf, type Tab } from "@/state/documents";
import { t } from "@/strings";
import { etagOf, noteEtag } from "./places";
import {
  allSnapshots,
  dropSnapshot,
  forgetLeft,
  keepSnapshot,
  leaveSnapshots,
  takeLeft,
  textOf,
  toForget,
  toRecover,
  workflowIn,
  type Snapshot,
} from "./snapshots";
import { openWindows, thisWindow } from "./windows";

const PAUSE_MS = 400;

/** Open what was open here, and what a closed tab left unsaved; then keep what changes. */
export async function startAutosave(): Promise<() => void> {
  const own = await thisWindow();
  await takeLeft(localStorage);
  await recover(own);
  return watch(own);
}

async function recover(own: string): Promise<void> {
  const [snapshots, alive] = [await allSnapshots(), await openWindows()];
  await Promise.all(toForget(snapshots, own, alive).map(({ key }) => dropSnapshot(key)));
  const found = toRecover(snapshots, own, alive);
  if (found.length === 0) return;
  const front = found.find(({ window, front }) => front && window === own) ?? found.at(-1);
  for (const { place, etag } of found) if (place !== undefined && etag !== undefined) noteEtag(place, etag);
  restoreTabs(found.map(openSnapshot), front?.key);
  const others = found.filter(({ window }) => window !== own).length;
  if (others > 0) tell(t("saidRecovered", { count: others }));
}

function openSnapshot({ key, text, saved, place }: Snapshot) {
  const workflow = workflowIn(text);
  const asSaved = saved === text ? workflow : saved === undefined ? undefined : workflowIn(saved);
  return { key, workflow, saved: asSaved, place };
}

function watch(own: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const counts = { changed: 0, kept: 0 };
  const keep = async () => {
    clearTimeout(timer);
    const { changed } = counts;
    await Promise.all(snapshotsNow(own).map(keepSnapshot));
    counts.kept = changed;
    forgetLeft(own, localStorage);
  };
  const leave = () => {
    if (counts.kept < counts.changed) leaveSnapshots(own, snapshotsNow(own), localStorage);
    void keep();
  };
  const stop = useDocuments.subscribe((state, before) => {
    for (const { key } of before.tabs) if (!state.tabs.some((tab) => tab.key === key)) void dropSnapshot(key);
    clearTimeout(timer);
    counts.changed += 1;
    timer = setTimeout(() => void keep(), PAUSE_MS);
  });
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", leave);
  void keep();
  return () => {
    stop();
    clearTimeout(timer);
    removeEventListener("pagehide", leave);
    removeEventListener("visibilitychange", leave);
  };
}

function snapshotsNow(own: string): Snapshot[] {
  const { tabs, active } = useDocuments.getState();
  return tabs.map((tab, index) => snapshotOf(tab, index, own, tab.key === active));
}

function snapshotOf(tab: Tab, index: number, window: string, front: boolean): Snapshot {
  const { key, saved, place } = tab;
  return {
    key,
    window,
    text: textOf(workflowOf(tab)),
    saved: saved && textOf(saved),
    place,
    etag: place === undefined ? undefined : etagOf(place),
    index,
    front,
    time: Date.now(),
  };
}
