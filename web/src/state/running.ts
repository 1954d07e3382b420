/** Starting and stopping runs of the document in front. */
import { create } from "zustand";
import { cancelJob, submitBatch, submitJob } from "@/api/client";
import { ApiError } from "@/api/problems";
import { batchOf, takeSeeds } from "@/model/batches";
import type { Workflow } from "@/model/document";
import { undoName } from "@/model/history";
import { writeJson } from "@/model/json";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { announce, tell } from "./announcer";
import { checkSoon, useCheck } from "./check";
import { currentTab, editWorkflowIn, tabOf, useDocuments, workflowOf } from "./documents";
import { activeRuns, followJob, useRuns, type Run } from "./runs";
import { mostInBatch } from "./session";
import { useSettings } from "./settings";
import { ownName } from "./tabNames";
import { wordsOf } from "./words";

/** Of tabs that are queueing runs, how many are still to be queued; taking a tab out stops that. */
export const useQueueing = create<Readonly<Record<string, number>>>(() => ({}));

const setLeft = (tab: string, left: number): void => useQueueing.setState({ [tab]: left });
const leftOf = (tab: string): number => useQueueing.getState()[tab] ?? 0;

/** Few enough that a person who cancels does not wait for them. */
const MOST_AT_ONCE = 50;

/** Queue the document in front, `batchCount` times; seeds that shall change do so after each. */
export async function run(): Promise<void> {
  const { batchCount } = useSettings.getState();
  const { key } = currentTab();
  if (leftOf(key) > 0) return setLeft(key, leftOf(key) + batchCount);
  setLeft(key, batchCount);
  let queued = 0;
  try {
    while (leftOf(key) > 0) queued += await queueSome(key);
  } catch (error) {
    setLeft(key, 0);
    return refuse(error);
  }
  if (queued > 0) announce(t("saidQueued", { count: queued }));
}

/** Queue some of what is left, in one request; gives how many, 0 where they were cancelled meanwhile. */
async function queueSome(key: string): Promise<number> {
  const tab = useDocuments.getState().tabs.find((one) => one.key === key);
  if (tab === undefined) return (setLeft(key, 0), 0); // it was closed
  const workflow = workflowOf(tab);
  const { variants, after } = batchOf(workflow, Math.min(leftOf(key), MOST_AT_ONCE, mostInBatch()));
  const label = ownName(tab) ?? "";
  const [only] = variants.length === 1 ? [await submitJob(workflow, { label })] : [];
  const jobs = only ? [only] : await submitBatch(workflow, variants, { label });
  for (const job of jobs) followJob(job, key);
  const step = { name: t("stepSeeds"), merge: "seeds" };
  editWorkflowIn(key, step, (now) => takeSeeds(now, workflow, after));
  if (leftOf(key) === 0) return (await cancelJobs(jobs.map(({ id }) => id)), 0);
  setLeft(key, Math.max(0, leftOf(key) - jobs.length));
  return jobs.length;
}

/** Tell why nothing was queued; what is wrong with the workflow is shown at its nodes too. */
function refuse(error: unknown): void {
  if (!(error instanceof ApiError) || error.issues[0] === undefined) tell(wordsOf(error));
  else {
    useCheck.setState({ issues: error.issues });
    tell(t("saidIssues", { count: error.issues.length, first: error.issues[0].message }));
  }
}

/** Cancel everything that was started from the document in front, and queue no more of it. */
export async function cancel(): Promise<void> {
  const { key } = currentTab();
  setLeft(key, 0);
  try {
    await cancelJobs(activeRuns(useRuns.getState(), key).map(({ job }) => job));
    announce(t("saidCancelled"));
  } catch (error) {
    refuse(error);
  }
}

/** The last ones first: else those behind them would start meanwhile. */
async function cancelJobs(jobs: readonly string[]): Promise<void> {
  await Promise.all(jobs.toReversed().map(cancelJob));
}

const PAUSE_MS = 600;

/** Run after every change that settles, while a person wants that; what ran before it is cancelled. */
export function watchForRuns(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return useDocuments.subscribe((state, before) => {
    const [now, then] = [tabOf(state), tabOf(before)];
    if (!useSettings.getState().runOnChange || now.key !== then.key) return;
    if (undoName(now.history) === t("stepSeeds")) return; // else a random seed would run for ever
    if (meaning(workflowOf(now)) === meaning(workflowOf(then))) return;
    clearTimeout(timer);
    timer = setTimeout(() => void cancel().then(run), PAUSE_MS);
  });
}

/** A document without what never influences a run. */
function meaning(workflow: Workflow): string {
  const { nodes, subgraphs } = workflow;
  return writeJson([nodes, subgraphs].map((part) => withoutUi(part)));
}

function withoutUi(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "ui");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutUi(inner)]));
}

/** Once something has run: ask the server again what would run now, and tell how runs of open tabs ended. */
export function watchRuns(): () => void {
  return useRuns.subscribe((state, before) => {
    if (state.runs === before.runs) return;
    checkSoon();
    for (const run of Object.values(state.runs)) {
      const known = before.runs[run.job];
      if (known && run.state !== known.state) announceEnd(run, secondsSince(run.started));
    }
  });
}

/** Tell that a run is over, if it is. */
export function announceEnd({ state, error }: Run, took: number): void {
  if (state === "done") announce(t("saidFinished", { time: seconds(took) }));
  if (state === "failed") tell(t("saidFailed", { why: error ?? "" }));
}

function secondsSince(moment: number | undefined): number {
  return moment === undefined ? 0 : Math.max(0, Date.now() - moment) / 1000;
}
