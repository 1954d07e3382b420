/** Keeping every open workflow in the browser, and opening them again. */
import { tell } from "@/state/announcer";
import { ofBrowser } from "@/state/browserStores";
import {
  MOST_CLOSED,
  isBlank,
  restoreClosed,
  restoreTabs,
  useDocuments,
  workflowOf,
  type Tab,
} from "@/state/documents";
import { forgetRuns } from "@/state/resume";
import { forgetSweep } from "@/state/sweeps";
import { t } from "@/strings";
import { etagOf, noteEtag } from "./places";
import {
  allSnapshots,
  dropSnapshot,
  forgetLeft,
  historyOf,
  keepSnapshot,
  leaveSnapshots,
  sortOut,
  takeLeft,
  textOf,
  toKeep,
  type Snapshot,
} from "./snapshots";
import { readSnapshots, tellSetAside, type Sorted } from "./setAside";
import { openWindows, thisWindow } from "./windows";

const PAUSE_MS = 400;

/** Open what was open here, and what a closed window left unsaved; then keep what changes. */
export async function startAutosave(): Promise<() => void> {
  const own = await thisWindow();
  await takeLeft(ofBrowser);
  await recover(own);
  return watch(own);
}

async function recover(own: string): Promise<void> {
  const [snapshots, alive] = [await allSnapshots(), await openWindows()];
  const { open, closed, forget } = sortOut(snapshots, own, alive, MOST_CLOSED);
  await Promise.all(forget.map(({ key }) => drop(key)));
  for (const { place, etag } of [...closed, ...open])
    // an open one knows better
    if (place !== undefined && etag !== undefined) noteEtag(place, etag);
  const before = readSnapshots(closed);
  restoreClosed(before.good.map(([{ index, closed = 0 }, restored]) => ({ ...restored, index, closed })));
  const now = readSnapshots(open);
  reopenAll(own, now);
  tellSetAside({ ...now, bad: [...before.bad, ...now.bad] });
}

function reopenAll(own: string, { good }: Sorted): void {
  if (good.length === 0) return;
  const [front = good.at(-1)] = good.filter(([{ window, front }]) => front && window === own);
  restoreTabs(
    good.map(([, restored]) => restored),
    front?.[0].key,
  );
  const others = good.filter(([{ window }]) => window !== own).length;
  if (others > 0) tell(t("saidRecovered", { count: others }));
}

/** Load the page anew without one of its tabs, which can be opened again. */
export async function leaveOut(tab: Tab): Promise<void> {
  const snapshot = snapshotOf(tab, await thisWindow());
  await keepSnapshot({ ...snapshot, index: 0, front: false, closed: Date.now() });
  location.reload();
}

async function drop(key: string): Promise<void> {
  forgetRuns(key);
  forgetSweep(key);
  await dropSnapshot(key);
}

function watch(own: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let kept: ReadonlyMap<string, Snapshot> = new Map();
  const news = () => toKeep(snapshotsNow(own), kept);
  const keep = async () => {
    clearTimeout(timer);
    const now = new Map(snapshotsNow(own).map((snapshot) => [snapshot.key, snapshot]));
    const gone = [...kept.keys()].filter((key) => !now.has(key));
    const changed = news();
    const [written] = await Promise.all([Promise.all(changed.map(keepSnapshot)), ...gone.map(drop)]);
    for (const [index, { key }] of changed.entries()) if (written[index] === false) now.delete(key);
    kept = now;
    if (news().length === 0) forgetLeft(own, ofBrowser);
  };
  const leave = (event: Event) => {
    // What is being typed into a field counts: most take it when they are left.
    if (event.type === "pagehide" && document.activeElement instanceof HTMLElement)
      document.activeElement.blur();
    leaveSnapshots(own, news(), ofBrowser);
    void keep();
  };
  const stop = useDocuments.subscribe(() => {
    clearTimeout(timer);
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
  const { tabs, active, closed } = useDocuments.getState();
  const filled = tabs.filter((tab) => !isBlank(tab));
  const open = filled.map((tab, index) => ({ ...snapshotOf(tab, own), index, front: tab.key === active }));
  const gone = closed.map((tab) => ({
    ...snapshotOf(tab, own),
    index: tab.index,
    front: false,
    closed: tab.closed,
  }));
  return [...open, ...gone];
}

function snapshotOf(tab: Tab, window: string): Omit<Snapshot, "index" | "front"> {
  const { key, saved, place } = tab;
  return {
    key,
    window,
    text: textOf(workflowOf(tab)),
    history: historyOf(tab.history, saved),
    saved: saved && textOf(saved),
    place,
    etag: place === undefined ? undefined : etagOf(place),
    time: Date.now(),
  };
}
