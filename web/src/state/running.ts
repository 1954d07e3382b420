/** Starting and stopping runs of the document in front. */
import { cancelJob, planOf, submitJob, type JobOptions, type JobView } from "@/api/client";
import { ApiError, Unreachable } from "@/api/problems";
import { lookUp, mapValues, nodesOf, type NodeEntry, type Workflow } from "@/model/document";
import { setInput } from "@/model/edit";
import { undoName } from "@/model/history";
import { writeJson } from "@/model/json";
import { isSeed, nextSeed, type AfterRun } from "@/model/seeds";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { announce, tell } from "./announcer";
import { checkSoon, useCheck, type Issue } from "./check";
import { currentTab, editWorkflow, tabOf, useDocuments, workflowOf } from "./documents";
import { showIssues } from "./issueList";
import { nodeNameNow } from "./nodeNames";
import { activeRuns, followJob, useRuns, type Run } from "./runs";
import { useSettings } from "./settings";
import { ownName } from "./tabNames";

/** Queue the document in front, `batchCount` times; seeds that shall change do so after each. */
export async function run(): Promise<void> {
  const { batchCount } = useSettings.getState();
  let leftOut: readonly Issue[] = [];
  for (let count = 0; count < batchCount; count += 1) {
    const left = await runOnce();
    if (left === false) return;
    leftOut = left;
  }
  announce(t("saidQueued", { count: batchCount }));
  if (leftOut.length > 0) tell(t("saidLeftOut", { nodes: namesOf(leftOut) }));
}

/** Gives what is wrong with nodes that were left out; `false`: nothing was queued, which is told. */
async function runOnce(): Promise<readonly Issue[] | false> {
  const tab = currentTab();
  try {
    const { job, leftOut } = await submitWhatCanRun(workflowOf(tab), { label: ownName(tab) ?? "" });
    followJob(job, tab.key);
    advanceSeeds();
    return leftOut;
  } catch (error) {
    return refuse(error);
  }
}

/** Queue the whole workflow, else the outputs that need no node that has an issue. */
async function submitWhatCanRun(
  workflow: Workflow,
  options: JobOptions,
): Promise<{ job: JobView; leftOut: readonly Issue[] }> {
  try {
    return { job: await submitJob(workflow, options), leftOut: [] };
  } catch (error) {
    if (!(error instanceof ApiError) || error.issues.length === 0) throw error;
    const { runnable } = await planOf(workflow);
    if (runnable.length === 0) throw error;
    const job = await submitJob(workflow, { ...options, targets: runnable });
    return { job, leftOut: error.issues };
  }
}

function namesOf(issues: readonly Issue[]): string {
  const wrong = issues.flatMap(({ node, severity }) =>
    node && severity === "error" ? [nodeNameNow(node)] : [],
  );
  return [...new Set(wrong)].join(", ");
}

/** Tell why nothing was queued; what is wrong with the workflow is shown at its nodes too. */
function refuse(error: unknown): false {
  if (error instanceof Unreachable) tell(t("serverGone"));
  else if (!(error instanceof ApiError)) throw error;
  else if (error.issues[0] === undefined) tell(error.detail);
  else {
    useCheck.setState({ issues: error.issues });
    showIssues(true);
    announce(t("saidIssues", { count: error.issues.length, first: error.issues[0].message }));
  }
  return false;
}

/** Cancel everything that was started from the document in front. */
export async function cancel(): Promise<void> {
  const runs = activeRuns(useRuns.getState(), currentTab().key);
  try {
    await Promise.all(runs.map(({ job }) => cancelJob(job)));
    announce(t("saidCancelled"));
  } catch (error) {
    refuse(error);
  }
}

/** What becomes of seeds after a run, as kept in `ui.seeds` of the node. */
export function afterRunOf(entry: NodeEntry | undefined, input: string): AfterRun {
  const chosen = (entry?.ui?.seeds as Record<string, AfterRun> | undefined)?.[input];
  return chosen ?? "fixed";
}

function advanceSeeds(): void {
  editWorkflow({ name: t("stepSeeds"), merge: "seeds" }, (workflow) => {
    const whole = advanced(workflow);
    const inner = workflow.subgraphs && mapValues(workflow.subgraphs, advanced);
    return inner === workflow.subgraphs ? whole : { ...whole, ...(inner && { subgraphs: inner }) };
  });
}

function advanced<G extends Pick<Workflow, "nodes">>(graph: G): G {
  let changed = graph;
  for (const [id, entry] of Object.entries(nodesOf(graph)))
    for (const input of Object.keys((entry.ui?.seeds as object | undefined) ?? {})) {
      const seed = lookUp(entry.inputs, input);
      if (isSeed(seed)) changed = setInput(changed, id, input, nextSeed(seed, afterRunOf(entry, input)));
    }
  return changed;
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
