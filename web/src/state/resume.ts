/** Runs outlive the page: those of each tab are noted, and shown or followed again by the next page. */
import { getJob, type JobView } from "@/api/client";
import { ApiError, Unreachable } from "@/api/problems";
import { isRecord, listOf, ofBrowser, readJson } from "./browserStores";
import { lastEvent } from "./connection";
import { announceEnd } from "./running";
import { followJob, hasEnded, useRuns, type Run } from "./runs";

/** Kept with the browser, as the workflows are: a note for each tab. */
const KEY = "nodegraph.runs.";
const MOST_ENDED = 20;

interface Noted {
  readonly job: string;
  /** Its end was told. */
  readonly ended?: boolean;
  /** An event before any of the job. */
  readonly after?: number;
}

/** Keep the notes true as runs begin and end. */
export function noteRuns(): () => void {
  return useRuns.subscribe(({ runs }, before) => {
    const changed = Object.values(runs).filter(({ job, state }) => state !== before.runs[job]?.state);
    for (const tab of new Set(changed.map((run) => run.tab)))
      writeNote(tab, worthNoting(Object.values(runs).filter((run) => run.tab === tab)));
  });
}

/** Those that go on, and of those that ended the last that was done and what came of later ones. */
export function worthNoting(runs: readonly Run[]): Run[] {
  const done = runs.findLastIndex(({ state }) => state === "done");
  const from = Math.max(done, runs.length - MOST_ENDED);
  return runs.filter((run, index) => index >= from || !hasEnded(run));
}

function writeNote(tab: string, runs: readonly Run[]): void {
  const known = new Map(readNote(tab).map((noted) => [noted.job, noted]));
  const note = [...(unasked.get(tab) ?? []), ...runs.map((run): Noted => noteOf(run, known.get(run.job)))];
  ofBrowser.write(KEY + tab, JSON.stringify(note));
}

function noteOf(run: Run, known: Noted | undefined): Noted {
  if (hasEnded(run)) return { job: run.job, ended: true };
  return known?.after === undefined ? { job: run.job, ...beforeNow() } : known;
}

/** The first event of a job may be a few back by the time the answer that names it is there. */
const MARGIN = 500;

function beforeNow(): Pick<Noted, "after"> {
  const last = lastEvent();
  return last === undefined ? {} : { after: Math.max(0, last - MARGIN) };
}

function readNote(tab: string): Noted[] {
  return [...(readJson(ofBrowser, KEY + tab, listOf(isNoted)) ?? [])];
}

function isNoted(value: unknown): value is Noted {
  if (!isRecord(value) || typeof value["job"] !== "string") return false;
  return value["after"] === undefined || typeof value["after"] === "number";
}

/** Forget the runs of a tab that is gone for good. */
export function forgetRuns(tab: string): void {
  ofBrowser.remove(KEY + tab);
}

/** Show what the noted jobs of tabs gave, and follow those that go on; gives the event after which to listen. */
export async function resumeRuns(tabs: readonly string[]): Promise<number | undefined> {
  const starts = await Promise.all(tabs.map(resumeTab));
  return starts
    .flat()
    .reduce<number | undefined>((least, start) => Math.min(least ?? start, start), undefined);
}

async function resumeTab(tab: string): Promise<number[]> {
  const noted = readNote(tab);
  await resumeNoted(tab, noted);
  return noted.flatMap(({ ended, after }) => (ended === true || after === undefined ? [] : [after]));
}

/** By tab, what the server could not tell yet: it stays noted. */
const unasked = new Map<string, readonly Noted[]>();
/** After which it is asked again, the last one again and again. */
const PAUSES_MS = [1000, 3000, 10_000, 30_000];

async function resumeNoted(tab: string, noted: readonly Noted[], attempt = 0): Promise<void> {
  const jobs = await Promise.all(noted.map(ask));
  const newer = attempt > 0 && Object.values(useRuns.getState().runs).some((run) => run.tab === tab);
  for (const [index, job] of jobs.entries()) {
    if (typeof job !== "object" || (newer && job.result)) continue; // what came after it is shown
    resumeJob(job, tab, noted[index]?.ended === true);
  }
  const rest = noted.filter((_, index) => jobs[index] === "untold");
  unasked.set(tab, rest);
  const pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)];
  if (rest.length > 0) setTimeout(() => void resumeNoted(tab, rest, attempt + 1), pause);
}

async function ask({ job }: Noted): Promise<JobView | "untold" | "gone"> {
  try {
    return await getJob(job);
  } catch (error) {
    if (error instanceof ApiError) return error.status === 404 ? "gone" : "untold";
    if (error instanceof Unreachable) return "untold";
    throw error;
  }
}

function resumeJob(job: JobView, tab: string, told: boolean): void {
  const run = followJob(job, tab);
  if (!told && hasEnded(run)) announceEnd(run, job.result?.seconds ?? 0);
}
