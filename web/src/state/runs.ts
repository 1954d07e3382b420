/** Runs of the documents that are open: what each node does, shows and gave. */
import { create } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { components } from "@/api/types";
import type { Workflow } from "@/model/document";
import { meaningOf } from "@/model/meaning";
import { placeOf } from "@/model/places";
import { bodyInputs } from "./catalogue";
import { prefixOf, tabOf, useDocuments, workflowOf } from "./documents";

export type JobView = components["schemas"]["JobView"];
export type OutputView = components["schemas"]["OutputView"];
export type Outputs = Readonly<Record<string, readonly OutputView[]>>;

export interface NodeRun {
  readonly status: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly origin?: "run" | "memory" | "disk";
  /** By `Date.now()`. */
  readonly started?: number;
  /** When it was told to be done, by `Date.now()`. */
  readonly ended?: number;
  readonly seconds?: number;
  readonly value?: number;
  readonly total?: number;
  /** Of a loop, how often its body runs. */
  readonly iterations?: number;
  /** Address of a picture; only while it runs. */
  readonly preview?: string;
  readonly outputs?: Outputs;
  /** The job that its result is of. */
  readonly job?: string;
  /** What the node meant in that job, where its workflow is known; see `meaningOf`. */
  readonly meant?: number;
  readonly error?: string;
  /** Where the server tells how it failed: its job, and what that calls the node. */
  readonly failed?: Failure;
}

export interface Failure {
  readonly job: string;
  readonly node: string;
}

/** Of a node in the body of a loop, the last iteration that anything is known of. */
export interface Iteration {
  readonly job: string;
  /** What that iteration of the node is called in the run. */
  readonly node: string;
  readonly number: number;
  /** How many there are, once the run has told it. */
  readonly of?: number;
}

export interface Run {
  readonly job: string;
  /** The tab it was started from. */
  readonly tab: string;
  readonly state: JobView["state"];
  readonly started?: number;
  readonly planned: number;
  readonly finished: number;
  readonly error?: string;
}

/** An event of the server; fields by type. */
export interface RunEvent {
  readonly type: string;
  readonly job?: string;
  readonly id?: number;
  readonly time?: number;
  readonly node?: string;
  readonly value?: number;
  readonly total?: number;
  readonly added?: number;
  readonly iterations?: number;
  readonly planned?: number;
  readonly origin?: "run" | "memory" | "disk" | "pruned";
  readonly seconds?: number;
  readonly message?: string;
  readonly outputs?: Outputs;
  readonly state?: JobView["state"];
  readonly error?: { readonly message: string } | null;
  /** Not told, but known here; see `NodeRun`. */
  readonly meant?: number;
}

type NodeRuns = Readonly<Record<string, NodeRun>>;
type Iterations = Readonly<Record<string, Iteration>>;

interface Runs {
  /** By job. */
  readonly runs: Readonly<Record<string, Run>>;
  /** By tab, then by what the run calls the node. What a node gave stays until it gives something else. */
  readonly nodes: Readonly<Record<string, NodeRuns>>;
  /** By tab, then by the path of the node: which of its runs is shown at a node in the body of a loop. */
  readonly iterations: Readonly<Record<string, Iterations>>;
}

export const useRuns = create<Runs>(() => ({ runs: {}, nodes: {}, iterations: {} }));

const NO_NODES: NodeRuns = {};
const PASSING: readonly string[] = ["node_progress", "node_preview"];
const NO_ITERATIONS: Iterations = {};
const ENDED: readonly string[] = ["done", "failed", "cancelled"];

/** What the nodes of one tab do. */
export interface RunsOfTab {
  readonly nodes: NodeRuns;
  readonly iterations: Iterations;
}

export function runsOf({ nodes, iterations }: Runs, tab: string): RunsOfTab {
  return { nodes: nodes[tab] ?? NO_NODES, iterations: iterations[tab] ?? NO_ITERATIONS };
}

export function useRunsOf(tab: string): RunsOfTab {
  return useRuns(useShallow((state) => runsOf(state, tab)));
}

/** What a node does, by its path: of one in the body of a loop, its last iteration. */
export function runAt({ nodes, iterations }: RunsOfTab, path: string): NodeRun | undefined {
  return nodes[iterations[path]?.node ?? path];
}

/** What a node of the shown graph does; a subgraph node does what those inside it do. */
export function useRunOf<T>(id: string, pick: (run: NodeRun | undefined) => T): T {
  const key = useDocuments((state) => tabOf(state).key);
  const path = useDocuments((state) => prefixOf(tabOf(state)) + id);
  return useRuns((state) => pick(runAt(runsOf(state, key), path)));
}

/** Which iteration of a node of the shown graph is shown, where that is in the body of a loop. */
export function useIterationOf(id: string): Iteration | undefined {
  const key = useDocuments((state) => tabOf(state).key);
  const path = useDocuments((state) => prefixOf(tabOf(state)) + id);
  return useRuns((state) => runsOf(state, key).iterations[path]);
}

export function hasEnded({ state }: Run): boolean {
  return ENDED.includes(state);
}

/** The runs of the tab in front that have not ended, the oldest first. */
export function activeRuns(state: Runs, tab: string): Run[] {
  return Object.values(state.runs).filter((run) => run.tab === tab && !hasEnded(run));
}

/** Follow a job that was queued from a tab, or show what came of it; `workflow` is what it runs. */
export function followJob(job: JobView, tab: string, workflow?: Workflow): Run {
  if (workflow) ran.set(job.id, workflow);
  const run: Run = {
    job: job.id,
    tab,
    state: job.state,
    ...(job.started !== null && { started: job.started * 1000 }),
    ...(job.result?.error && { error: job.result.error.message }),
    planned: 0,
    finished: 0,
  };
  useRuns.setState(({ runs }) => ({ runs: { ...runs, [job.id]: run } }));
  if (job.result) applyResult(job);
  const told = early.filter((event) => event.job === job.id);
  early = early.filter((event) => event.job !== job.id);
  for (const event of told) applyEvent(event);
  return run;
}

/** What jobs run that were queued from this page. */
const ran = new Map<string, Workflow>();

type Result = Pick<NodeRun, "outputs" | "job">;

/** What nodes gave in the jobs of this page, by tab, path and what they meant; the last one last. */
const results = new Map<string, Result>();
const MOST_RESULTS = 2000;
const resultKey = (tab: string, path: string, meant: number): string => [tab, path, meant].join("\n");

/** What a node of a tab gave when it meant this, if that is known. */
export function resultOf(tab: string, path: string, meant: number): Result | undefined {
  return results.get(resultKey(tab, path, meant));
}

/** Keep what a node gave; gives what it meant. */
function keepResult(tab: string, { job, node = "", outputs }: RunEvent): number | undefined {
  const workflow = job === undefined ? undefined : ran.get(job);
  if (workflow === undefined) return undefined;
  const meant = meaningOf(workflow, node);
  const oldest = results.size < MOST_RESULTS ? undefined : results.keys().next().value;
  if (oldest !== undefined) results.delete(oldest);
  if (outputs) results.set(resultKey(tab, node, meant), { outputs, ...(job !== undefined && { job }) });
  return meant;
}

/** Events of jobs that are not followed: those of a quick one come before the answer that names it. */
let early: RunEvent[] = [];
const MOST_EARLY = 1000;

function updateRun(job: string, patch: Partial<Run>): void {
  useRuns.setState(({ runs }) => {
    const run = runs[job];
    return run ? { runs: { ...runs, [job]: { ...run, ...patch } } } : {};
  });
}

function updateNodes(tab: string, change: (nodes: NodeRuns) => NodeRuns): void {
  useRuns.setState(({ nodes }) => ({ nodes: { ...nodes, [tab]: change(nodes[tab] ?? NO_NODES) } }));
}

function updateNode(tab: string, path: string, change: (run: NodeRun | undefined) => NodeRun): void {
  updateNodes(tab, (nodes) => ({ ...nodes, [path]: change(nodes[path]) }));
}

/** Take in an event; `picture` is what came with a preview. */
export function applyEvent(event: RunEvent, picture?: Blob): void {
  const run = event.job === undefined ? undefined : useRuns.getState().runs[event.job];
  if (run === undefined) {
    early = [...early.slice(-MOST_EARLY), event];
    return;
  }
  if (hasEnded(run)) return; // it is told again what led there
  HANDLERS[event.type]?.(run, event, picture);
  if (typeof event.node === "string") noteIteration(run, event.node);
}

/** Show the latest iteration of a node in a loop; one that failed stays in view. */
function noteIteration({ job, tab }: Run, node: string): void {
  const place = node.includes("/") ? placeInTab(tab, node) : undefined;
  if (place?.iteration === undefined) return;
  const { number, loop } = place.iteration;
  const path = (place.path.at(-1)?.prefix ?? "") + place.id;
  const { nodes, iterations } = runsOf(useRuns.getState(), tab);
  const known = iterations[path];
  const isLess = known?.job === job && (number < known.number || nodes[known.node]?.status === "failed");
  if (isLess && nodes[node]?.status !== "failed") return;
  const of = nodes[loop]?.iterations;
  const iteration: Iteration = { job, node, number, ...(of !== undefined && { of }) };
  useRuns.setState((all) => ({
    iterations: { ...all.iterations, [tab]: { ...iterations, [path]: iteration } },
  }));
  if (nodes[loop]?.status === "running")
    updateNode(tab, loop, (run) => ({ ...run, status: "running", value: Math.max(run?.value ?? 0, number) }));
}

function placeInTab(key: string, node: string) {
  const tab = useDocuments.getState().tabs.find((candidate) => candidate.key === key);
  return tab && placeOf(workflowOf(tab), node, { bodyInputs, numbered: true });
}

type Handler = (run: Run, event: RunEvent, picture?: Blob) => void;

const HANDLERS: Readonly<Record<string, Handler>> = {
  job_started: (run, event) => {
    updateRun(run.job, {
      state: "running",
      started: momentOf(event),
      planned: event.planned ?? 0,
      finished: 0,
    });
    updateNodes(run.tab, forgetErrors);
  },
  node_started: nodeHandler((_, event) => ({ status: "running", started: momentOf(event) })),
  node_progress: nodeHandler((before, { value, total }) => ({
    ...before,
    status: "running",
    ...(value !== undefined && { value }),
    ...(total !== undefined && { total }),
  })),
  node_expanded: (run, { node, added = 0, iterations }) => {
    updateRun(run.job, { planned: run.planned + added });
    if (node === undefined || iterations === undefined) return;
    const told = { iterations, value: 0, total: iterations };
    updateNode(run.tab, node, (before) => ({ ...before, status: "running", ...told }));
  },
  node_preview: nodeHandler((before, _, picture) => {
    const { outputs: _old, ...kept } = before ?? {};
    return { ...kept, status: "running", ...(picture && { preview: URL.createObjectURL(picture) }) };
  }),
  node_finished: (run, event) => {
    if (event.origin === "pruned") return;
    if (event.origin === "run") updateRun(run.job, { finished: run.finished + 1 });
    finishNode(run, event);
  },
  node_failed: nodeHandler((_, { message, job = "", node = "" }) => ({
    status: "failed",
    error: message ?? "",
    failed: { job, node },
  })),
  node_cancelled: nodeHandler((before) => ({ ...keepOutputs(before), status: "cancelled" })),
  job_finished: (run, event) => {
    updateRun(run.job, { state: event.state ?? "done", ...(event.error && { error: event.error.message }) });
    updateNodes(run.tab, stopRunning);
  },
};

function nodeHandler(
  next: (before: NodeRun | undefined, event: RunEvent, picture?: Blob) => NodeRun,
): Handler {
  return (run, event, picture) => {
    if (typeof event.node !== "string") return;
    updateNode(run.tab, event.node, (before) => {
      if (isLate(before, event)) return before;
      const after = {
        ...keepOutputs(event.type === "node_preview" ? undefined : before),
        ...next(before, event, picture),
      };
      letGo(before, after);
      return after;
    });
  };
}

/** What shows a node at work may come after its end, because only the latest of it is sent on. */
function isLate(before: NodeRun | undefined, { type, job }: RunEvent): before is NodeRun {
  return PASSING.includes(type) && before?.status === "done" && before.job === job;
}

/** Let go of a preview that another one, or the result, took the place of. */
function letGo(before: NodeRun | undefined, after: NodeRun): void {
  if (before?.preview && before.preview !== after.preview) URL.revokeObjectURL(before.preview);
}

const finishNode: Handler = (run, event) => {
  const meant = keepResult(run.tab, event);
  showFinished(run, meant === undefined ? event : { ...event, meant });
};

const showFinished = nodeHandler((before, { origin, seconds, outputs, job, meant }) => ({
  ...keepOutputs(before),
  status: "done",
  ended: Date.now(),
  ...(meant !== undefined && { meant }),
  ...(job !== undefined && { job }),
  ...(origin !== undefined && origin !== "pruned" && { origin }),
  ...(seconds !== undefined && { seconds }),
  ...(outputs && { outputs }),
}));

function keepOutputs(run: NodeRun | undefined): Pick<NodeRun, "outputs" | "iterations"> {
  return {
    ...(run?.iterations && { iterations: run.iterations }),
    ...(run?.outputs && { outputs: run.outputs }),
  };
}

function momentOf(event: RunEvent): number {
  return event.time === undefined ? Date.now() : event.time * 1000;
}

function forgetErrors(nodes: NodeRuns): NodeRuns {
  return mapRuns(nodes, ({ error: _, failed: _where, ...run }) =>
    run.status === "failed" ? { ...run, status: "waiting" } : run,
  );
}

/** A job that ended has no running nodes, whatever events were missed. */
function stopRunning(nodes: NodeRuns): NodeRuns {
  return mapRuns(nodes, (run) => {
    if (run.status !== "running") return run;
    const after: NodeRun = { ...keepOutputs(run), status: "cancelled" };
    letGo(run, after);
    return after;
  });
}

function mapRuns(nodes: NodeRuns, change: (run: NodeRun) => NodeRun): NodeRuns {
  return Object.fromEntries(Object.entries(nodes).map(([path, run]) => [path, change(run)]));
}

/** Take in a job as the server keeps it: after a gap in the events, or when it ended long ago. */
export function applyResult(job: JobView): void {
  const run = useRuns.getState().runs[job.id];
  if (run === undefined || !job.result) return;
  const { nodes, outputs, errors } = job.result;
  for (const [path, told] of Object.entries(nodes)) {
    const record = told as Pick<RunEvent, "origin" | "seconds">;
    const given = outputs[path];
    finishNode(run, {
      type: "node_finished",
      job: job.id,
      node: path,
      ...record,
      ...(given && { outputs: given }),
    });
    noteIteration(run, path);
  }
  for (const { node, message } of errors) {
    const failed = { job: job.id, node };
    updateNode(run.tab, node, () => ({ status: "failed", error: message, failed }));
    noteIteration(run, node);
  }
  updateRun(job.id, { state: job.state, ...(job.result.error && { error: job.result.error.message }) });
  updateNodes(run.tab, stopRunning);
}
