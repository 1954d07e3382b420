/** Runs outlive the page: what this browser tab follows is noted, and followed again after a reload. */
import { getJob } from "@/api/client";
import { ApiError, Unreachable } from "@/api/problems";
import { lastEvent } from "./connection";
import { followJob, useRuns, type Run } from "./runs";

const KEY = "nodegraph.runs";
const ACTIVE: readonly Run["state"][] = ["queued", "running", "interrupted"];

interface Noted {
  readonly job: string;
  readonly tab: string;
  /** An event before any of the job. */
  readonly after?: number;
}

/** Keep the note true as runs begin and end. */
export function noteRuns(): () => void {
  return useRuns.subscribe(({ runs }) => {
    const known = new Map(readNote().map((noted) => [noted.job, noted]));
    const active = Object.values(runs).filter(({ state }) => ACTIVE.includes(state));
    const note = active.map(({ job, tab }): Noted => known.get(job) ?? { job, tab, ...beforeNow() });
    sessionStorage.setItem(KEY, JSON.stringify(note));
  });
}

/** The first event of a job may be a few back by the time the answer that names it is there. */
const MARGIN = 500;

function beforeNow(): Pick<Noted, "after"> {
  const last = lastEvent();
  return last === undefined ? {} : { after: Math.max(0, last - MARGIN) };
}

function readNote(): Noted[] {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Noted[];
}

/** Follow the noted jobs of tabs that are open again; gives the event after which to listen. */
export async function resumeRuns(tabs: ReadonlySet<string>): Promise<number | undefined> {
  const noted = readNote().filter(({ tab }) => tabs.has(tab));
  await Promise.all(noted.map(followAgain));
  const starts = noted.flatMap(({ after }) => (after === undefined ? [] : [after]));
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

async function followAgain({ job, tab }: Noted): Promise<void> {
  try {
    followJob(await getJob(job), tab);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return; // deleted meanwhile
    if (!(error instanceof Unreachable)) throw error;
  }
}
