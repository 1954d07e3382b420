/** Saving to the server, and what is to be done when someone else saved there meanwhile. */
import { create } from "zustand";
import { listSaved, writeSaved, type Expectation, type SavedView } from "@/api/library";
import { ApiError, NotTheApi, Unreachable } from "@/api/problems";
import { announce, tell } from "@/state/announcer";
import { currentTab, markSaved, markUnsaved, useDocuments, workflowOf, type Tab } from "@/state/documents";
import { onServerEvent } from "@/state/connection";
import { wordsOf } from "@/state/words";
import { t } from "@/strings";
import { nameProblem } from "./names";
import { etagOf, forgetPlace, noteChange, noteEtag } from "./places";

/** A question that is open: under which name, or what of a conflict. */
export type Question =
  | {
      readonly kind: "name";
      readonly tab: string;
      readonly suggested: string;
      readonly taken?: boolean;
      /** Why it could not be saved under a name. */
      readonly problem?: { readonly name: string; readonly text: string };
    }
  | { readonly kind: "conflict"; readonly tab: string; readonly place: string };

interface Saving {
  readonly question: Question | undefined;
}

export const useSaving = create<Saving>(() => ({ question: undefined }));
export const ask = (question: Question | undefined): void => useSaving.setState({ question });

/** Save the workflow in front where it came from; ask for a name where it has none. */
export async function save(): Promise<void> {
  const tab = currentTab();
  const { place } = tab;
  if (place === undefined) return askName();
  const etag = etagOf(place);
  await put(tab, place, etag === undefined ? "new" : { etag });
}

export function askName(): void {
  const tab = currentTab();
  ask({ kind: "name", tab: tab.key, suggested: tab.place ?? (workflowOf(tab).name || t("untitled")) });
}

/** Save under a name that is new. */
export async function saveAs(key: string, place: string): Promise<void> {
  const tab = tabByKey(key);
  const name = place.trim();
  const problem = nameProblem(name);
  if (problem !== undefined) return void tellInDialog(name, problem);
  if (tab) await put(tab, name, name === tab.place ? "whatever" : "new");
}

/** Tell in the dialog that asks for a name, if it is open. */
function tellInDialog(name: string, text: string): boolean {
  const { question } = useSaving.getState();
  if (question?.kind !== "name") return false;
  ask({ ...question, problem: { name, text } });
  return true;
}

/** Save over what someone else saved. */
export async function overwrite(key: string, place: string): Promise<void> {
  const tab = tabByKey(key);
  if (tab) await put(tab, place, "whatever");
}

function tabByKey(key: string): Tab | undefined {
  return useDocuments.getState().tabs.find((tab) => tab.key === key);
}

async function put(tab: Tab, place: string, expected: Expectation): Promise<void> {
  const workflow = workflowOf(tab);
  try {
    saved(tab.key, place, await writeSaved(place, workflow, expected));
    markSaved(tab.key, place, workflow);
  } catch (error) {
    await refused(tab.key, place, expected, error);
  }
}

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("nodegraph-saved") : undefined;

function saved(key: string, place: string, { etag }: SavedView): void {
  noteEtag(place, etag);
  channel?.postMessage({ place, etag });
  const { question } = useSaving.getState();
  if (question?.tab === key) ask(undefined);
  announce(t("saidSaved", { name: place }));
}

async function refused(key: string, place: string, expected: Expectation, error: unknown): Promise<void> {
  if (error instanceof ApiError && error.status === 412) {
    if (expected === "new") return ask({ kind: "name", tab: key, suggested: place, taken: true });
    return (await stands(place)) ? ask({ kind: "conflict", tab: key, place }) : tellGone(key, place);
  }
  const isSilence = error instanceof Unreachable && !(error instanceof NotTheApi);
  const text = isSilence ? t("saidNotSaved") : wordsOf(error);
  if (!tellInDialog(place, text)) tell(text);
}

/** Whether anything is saved there; where nobody answers, something may be. */
async function stands(place: string): Promise<boolean> {
  try {
    return (await listSaved()).some(({ path }) => path === place);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ApiError) return true;
    throw error;
  }
}

/** What was to be saved over was deleted meanwhile: there is nothing to compare with. */
function tellGone(key: string, place: string): void {
  forgetPlace(place);
  markUnsaved(place);
  tell(t("saidGoneElsewhere", { name: place }), { label: t("save"), run: () => void saveAs(key, place) });
}

/** Look what became of the open workflows while nobody listened. */
export async function checkPlaces(): Promise<void> {
  const places = useDocuments.getState().tabs.flatMap(({ place }) => place ?? []);
  if (places.length === 0) return;
  try {
    const etags = new Map((await listSaved()).map(({ path, etag }) => [path, etag]));
    for (const place of places) noteNow(place, etags.get(place));
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof ApiError)) throw error; // else the next save finds out
  }
}

/** `etag` is what stands at a place now, if anything. */
function noteNow(place: string, etag: string | undefined): void {
  if (etag !== undefined) return noteChange(place, etag);
  forgetPlace(place);
  if (markUnsaved(place)) tell(t("saidGoneElsewhere", { name: place }));
}

/** Hear of saves elsewhere: by other tabs of this browser at once, by others through the server. */
export function watchSaves(): () => void {
  const hear = ({ data }: MessageEvent<{ place: string; etag: string }>) => noteChange(data.place, data.etag);
  channel?.addEventListener("message", hear);
  const stop = onServerEvent((event) => {
    const { path, etag } = event as { path?: string; etag?: string };
    if (event.type === "workflow_saved" && path !== undefined) noteNow(path, etag);
    if (event.type === "workflow_deleted" && path !== undefined) noteNow(path, undefined);
    if (event.type === "gap") void checkPlaces();
  });
  return () => {
    channel?.removeEventListener("message", hear);
    stop();
  };
}
