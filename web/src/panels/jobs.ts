/** The queue and the history as the server has them, kept up to date by its events while someone looks. */
import { useEffect } from "react";
import { create } from "zustand";
import {
  cancelJob,
  deleteJob,
  getQueue,
  listJobs,
  moveJob,
  setPaused,
  submitJob,
  getJobWorkflow,
  type JobState,
  type JobView,
  type MoveRequest,
  type QueueView,
} from "@/api/client";
import { readWorkflow } from "@/model/reading";
import { tell } from "@/state/announcer";
import { useCatalogue } from "@/state/catalogue";
import { onServerEvent, whenHeard } from "@/state/connection";
import { followJob } from "@/state/runs";
import { currentTab } from "@/state/documents";
import { useSweptValues } from "@/state/sweeps";
import { wordsOf } from "@/state/words";

interface Jobs {
  readonly queue: QueueView | undefined;
  readonly history: readonly JobView[] | undefined;
  /** Where the next page of the history begins. */
  readonly next: number | null;
  readonly problem: string | undefined;
}

export const useJobs = create<Jobs>(() => ({
  queue: undefined,
  history: undefined,
  next: null,
  problem: undefined,
}));

export const ENDED: readonly JobState[] = ["done", "failed", "cancelled"];
const PAGE = 30;
const PAUSE_MS = 150;
const TELLING = new Set(["job_queued", "job_started", "job_finished", "job_moved", "queue_paused", "gap"]);

/** Do something to jobs, then look again; says what went wrong. */
async function change(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell(wordsOf(error));
  }
  await refresh();
}

export async function refresh(): Promise<void> {
  try {
    const [queue, page] = await Promise.all([getQueue(), listJobs({ state: ENDED, limit: PAGE })]);
    useJobs.setState({ queue, history: page.jobs, next: page.next, problem: undefined });
  } catch (error) {
    useJobs.setState({ problem: wordsOf(error) });
  }
}

export const cancel = (id: string) => change(() => cancelJob(id));
export const move = (id: string, place: MoveRequest) => change(() => moveJob(id, place));
export const forget = (id: string) => change(() => deleteJob(id));
export const pause = (paused: boolean) => change(() => setPaused(paused));

/** Queue what a job ran once more; what comes of it is shown in the tab in front. */
export const rerun = (job: JobView) =>
  change(async () => {
    const { workflow } = readWorkflow(await getJobWorkflow(job.id));
    const again = { label: job.label, ...(job.targets && { targets: job.targets }) };
    await whenHeard();
    followJob(await submitJob(workflow, again), currentTab().key, workflow);
  });

export async function showMore(): Promise<void> {
  const { next, history = [] } = useJobs.getState();
  if (next === null) return;
  try {
    const page = await listJobs({ state: ENDED, limit: PAGE, before: next });
    useJobs.setState({ history: [...history, ...page.jobs], next: page.next });
  } catch (error) {
    useJobs.setState({ problem: wordsOf(error) });
  }
}

/** Keep the jobs up to date as long as a panel shows them. */
export function useLiveJobs(): Jobs {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    void refresh();
    const stop = onServerEvent(({ type }) => {
      if (!TELLING.has(type)) return;
      clearTimeout(timer);
      timer = setTimeout(() => void refresh(), PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return useJobs();
}

/** What people call a job: as its client does, else by the name of its workflow, else by what it makes. */
export function useJobName({ id, number, label, summary: { name, makes } }: JobView): string {
  const nodes = useCatalogue(({ catalogue }) => catalogue.nodes);
  const titles = makes.map((type) => nodes[type]?.title ?? type);
  const swept = useSweptValues(id);
  const called = label || name || titles.join(", ");
  return `#${number} ${[called, swept].filter(Boolean).join(" · ")}`.trim();
}
