/** Starting and stopping runs of the document in front. */
import { create } from "zustand";
import { cancelJob, planOf, submitBatch, submitJob, type JobOptions, type JobView } from "@/api/client";
import { ApiError } from "@/api/problems";
import { batchOf, takeSeeds } from "@/model/batches";
import { withoutUi } from "@/model/meaning";
import type { Workflow } from "@/model/document";
import { undoName } from "@/model/history";
import { writeJson } from "@/model/json";
import { withOverrides, type Overrides } from "@/model/sweep";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { announce, tell } from "./announcer";
import { whenHeard } from "./connection";
import { checkSoon, useCheck, type Issue } from "./check";
import { currentTab, editWorkflowIn, tabOf, useDocuments, workflowOf } from "./documents";
import { showIssues } from "./issueList";
import { nodeNameNow } from "./nodeNames";
import { activeRuns, followJob, useRuns, type Run } from "./runs";
import { mostInBatch } from "./session";
import { useSettings } from "./settings";
import { ownName } from "./tabNames";
import { wordsOf } from "./words";

/** The runs of a tab that are being queued, several requests one after the other. */
interface Turn {
  /** Tells it from another that began after it was cancelled. */
  readonly id: symbol;
  readonly left: number;
  readonly queued: number;
}

/** By tab; one that is taken out, as by cancelling, goes no further. */
export const useQueueing = create<Readonly<Record<string, Turn | undefined>>>(() => ({}));

const turnOf = (tab: string): Turn | undefined => useQueueing.getState()[tab];
const setTurn = (tab: string, turn: Turn | undefined): void => useQueueing.setState({ [tab]: turn });

/** Few enough that a person who cancels does not wait for them. */
const MOST_AT_ONCE = 50;

/** Queue the document in front, `batchCount` times; seeds that shall change do so after each. */
export async function run(): Promise<void> {
  const { batchCount } = useSettings.getState();
  const { key } = currentTab();
  const before = turnOf(key);
  if (before) return setTurn(key, { ...before, left: before.left + batchCount });
  const id = Symbol(key);
  setTurn(key, { id, left: batchCount, queued: 0 });
  try {
    while (await queueSome(key, id));
  } catch (error) {
    if (turnOf(key)?.id === id) setTurn(key, undefined);
    refuse(error);
  }
}

/** Queue some of what is left, in one request; gives whether there is more to queue. */
async function queueSome(key: string, id: symbol): Promise<boolean> {
  const tab = useDocuments.getState().tabs.find((one) => one.key === key);
  const turn = turnOf(key);
  if (turn?.id !== id) return false;
  if (tab === undefined) return (setTurn(key, undefined), false); // it was closed
  const workflow = workflowOf(tab);
  const { variants, after } = batchOf(workflow, Math.min(turn.left, MOST_AT_ONCE, mostInBatch()));
  const { jobs, leftOut } = await submitWhatCanRun(workflow, variants, { label: ownName(tab) ?? "" });
  for (const [index, job] of jobs.entries())
    followJob(job, key, withOverrides(workflow, variants[index] ?? {}));
  const step = { name: t("stepSeeds"), merge: "seeds" };
  editWorkflowIn(key, step, (now) => takeSeeds(now, workflow, after));
  const more = await noteQueued(key, id, jobs);
  if (!more && leftOut.length > 0) tell(t("saidRunsWithout", { nodes: namesOf(leftOut) }));
  return more;
}

interface Submitted {
  readonly jobs: readonly JobView[];
  /** What is wrong with nodes that the jobs do without. */
  readonly leftOut: readonly Issue[];
}

/** Queue the whole workflow, else the outputs that need no node that has an issue. */
async function submitWhatCanRun(
  workflow: Workflow,
  variants: readonly Overrides[],
  options: JobOptions,
): Promise<Submitted> {
  try {
    return { jobs: await submitted(workflow, variants, options), leftOut: [] };
  } catch (error) {
    if (!(error instanceof ApiError) || error.issues.length === 0) throw error;
    const { runnable } = await planOf(workflow);
    if (runnable.length === 0) throw error;
    const jobs = await submitted(workflow, variants, { ...options, targets: runnable });
    return { jobs, leftOut: error.issues };
  }
}

async function submitted(workflow: Workflow, variants: readonly Overrides[], options: JobOptions) {
  await whenHeard();
  return variants.length === 1
    ? [await submitJob(workflow, options)]
    : submitBatch(workflow, variants, options);
}

function namesOf(issues: readonly Issue[]): string {
  const wrong = issues.flatMap(({ node, severity }) =>
    node && severity === "error" ? [nodeNameNow(node)] : [],
  );
  return [...new Set(wrong)].join(", ");
}

/** Jobs that came after all was cancelled are cancelled, too. Gives whether there is more to queue. */
async function noteQueued(key: string, id: symbol, jobs: readonly JobView[]): Promise<boolean> {
  const turn = turnOf(key);
  if (turn?.id !== id) return (await cancelJobs(jobs.map((job) => job.id)), false);
  const [left, queued] = [turn.left - jobs.length, turn.queued + jobs.length];
  setTurn(key, left > 0 ? { id, left, queued } : undefined);
  if (left <= 0) announce(t("saidQueued", { count: queued }));
  return left > 0;
}

/** Tell why nothing was queued; what is wrong with the workflow is shown at its nodes too. */
function refuse(error: unknown): void {
  if (!(error instanceof ApiError) || error.issues[0] === undefined) tell(wordsOf(error));
  else {
    useCheck.setState({ issues: error.issues });
    showIssues(true);
    announce(t("saidIssues", { count: error.issues.length, first: error.issues[0].message }));
  }
}

/** Cancel everything that was started from the document in front, and queue no more of it. */
export async function cancel(): Promise<void> {
  const { key } = currentTab();
  setTurn(key, undefined);
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
