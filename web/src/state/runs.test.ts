import { beforeEach, expect, it } from "vitest";
import type { Workflow } from "@/model/document";
import { useCatalogue } from "./catalogue";
import { openWorkflow } from "./documents";
import type { NodeType } from "./nodeTypes";
import { applyEvent, applyResult, followJob, runAt, runsOf, useRuns, type JobView } from "./runs";

const job = (fields: Partial<JobView> = {}) =>
  ({ id: "j", state: "queued", started: null, result: null, ...fields }) as JobView;
const node = (path: string) => useRuns.getState().nodes["tab"]?.[path];

beforeEach(() => {
  useRuns.setState({ runs: {}, nodes: {}, iterations: {} });
  followJob(job(), "tab");
});

const picture = { files: [{ file: null, kind: null, value: 1 }] };

it("follows a node from its start to its end", () => {
  applyEvent({ type: "job_started", job: "j", planned: 1, time: 10 });
  applyEvent({ type: "node_started", job: "j", node: "a", time: 11 });
  applyEvent({ type: "node_progress", job: "j", node: "a", value: 3, total: 20 });
  expect(node("a")).toMatchObject({ status: "running", started: 11_000, value: 3, total: 20 });
  applyEvent({ type: "node_finished", job: "j", node: "a", origin: "run", seconds: 2, outputs: picture });
  const ended = expect.any(Number) as number;
  expect(node("a")).toEqual({ status: "done", ended, job: "j", origin: "run", seconds: 2, outputs: picture });
  expect(useRuns.getState().runs["j"]?.finished).toBe(1);
});

it("what a node gave stays while it runs again", () => {
  applyEvent({ type: "node_finished", job: "j", node: "a", origin: "run", seconds: 2, outputs: picture });
  applyEvent({ type: "node_started", job: "j", node: "a" });
  expect(node("a")?.outputs).toEqual(picture);
});

it("a preview is gone at the end, and one that comes late is not shown", () => {
  const preview = { type: "node_preview", job: "j", node: "a" };
  applyEvent({ type: "node_started", job: "j", node: "a" });
  applyEvent(preview, new Blob(["1"]));
  expect(node("a")).toMatchObject({ status: "running", preview: expect.stringMatching("blob:") as string });
  applyEvent({ type: "node_finished", job: "j", node: "a", origin: "run", seconds: 2 });
  applyEvent(preview, new Blob(["2"]));
  expect(node("a")).toMatchObject({ status: "done" });
  expect(node("a")?.preview).toBeUndefined();
});

it("an error stays with its node until the next run begins", () => {
  applyEvent({ type: "node_failed", job: "j", node: "a", message: "out of memory" });
  applyEvent({ type: "job_finished", job: "j", state: "failed" });
  expect(node("a")).toMatchObject({ status: "failed", error: "out of memory" });
  followJob(job({ id: "next" }), "tab");
  applyEvent({ type: "job_started", job: "next", planned: 1 });
  expect(node("a")?.error).toBeUndefined();
});

it("nothing runs in a job that has ended, whatever was missed", () => {
  applyEvent({ type: "node_started", job: "j", node: "a" });
  applyEvent({ type: "job_finished", job: "j", state: "cancelled" });
  expect(node("a")?.status).toBe("cancelled");
});

it("what is told again of a job that has ended changes nothing", () => {
  applyEvent({ type: "node_finished", job: "j", node: "a", origin: "run", seconds: 2, outputs: picture });
  applyEvent({ type: "job_finished", job: "j", state: "done" });
  const before = useRuns.getState();
  applyEvent({ type: "job_started", job: "j", planned: 1 });
  applyEvent({ type: "node_started", job: "j", node: "a" });
  expect(useRuns.getState()).toBe(before);
});

it("takes the result of a job whose events were missed", () => {
  const result = {
    nodes: { a: { origin: "disk", seconds: 0 } },
    outputs: { a: picture },
    errors: [{ node: "b", type: "B", message: "broken" }],
    error: null,
  };
  applyResult(job({ state: "failed", result: result as unknown as JobView["result"] }));
  expect(node("a")).toMatchObject({ status: "done", origin: "disk", outputs: picture });
  expect(node("b")).toMatchObject({ status: "failed", error: "broken" });
});

it("events of jobs that were not started here change nothing", () => {
  const before = useRuns.getState();
  applyEvent({ type: "node_started", job: "other", node: "a" });
  expect(useRuns.getState()).toBe(before);
});

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: { loop: { type: "Repeat", inputs: { body: "B" } } },
  subgraphs: { B: { nodes: { x: { type: "X" } } } },
};

/** A job of a workflow with a loop; gives what is shown at the node in its body. */
function followLoop() {
  const body = { name: "body", body: { takes: {}, mayTake: {}, gives: {} } };
  const repeat = { inputs: [body] } as unknown as NodeType;
  useCatalogue.setState({ catalogue: { nodes: { Repeat: repeat }, bases: {} } });
  const tab = openWorkflow(FLOW);
  followJob(job({ id: "loops" }), tab);
  const runs = () => runsOf(useRuns.getState(), tab);
  return { shown: () => runAt(runs(), "loop/x"), which: () => runs().iterations["loop/x"], runs };
}

const tell = (type: string, node: string, fields: object = {}) =>
  applyEvent({ type, job: "loops", node, ...fields });

it("a node in a loop shows its last iteration, and the loop how far it is", () => {
  const { shown, which, runs } = followLoop();
  applyEvent({ type: "job_started", job: "loops", planned: 1 });
  tell("node_started", "loop");
  tell("node_expanded", "loop", { added: 3, iterations: 3 });
  tell("node_finished", "loop/x-2", { origin: "run", seconds: 2 });
  tell("node_finished", "loop/x-1", { origin: "run", seconds: 1 }); // later, but before it
  expect(shown()).toMatchObject({ status: "done", seconds: 2 });
  expect(which()).toEqual({ job: "loops", node: "loop/x-2", number: 2, of: 3 });
  expect(runs().nodes["loop"]).toMatchObject({ status: "running", value: 2, total: 3 });
  expect(useRuns.getState().runs["loops"]?.planned).toBe(4);
  tell("node_finished", "loop", { origin: "run", seconds: 3 });
  tell("node_started", "loop/x-3"); // what it saves may come after the loop
  expect(which()).toMatchObject({ number: 3, of: 3 });
});

it("an iteration that failed stays in view", () => {
  const { shown, which } = followLoop();
  tell("node_failed", "loop/x-1", { message: "broken" });
  tell("node_finished", "loop/x-2", { origin: "run", seconds: 2 });
  expect(shown()).toMatchObject({ status: "failed", error: "broken" });
  expect(which()?.number).toBe(1);
});

it("the iterations of a job whose events were missed are shown, too", () => {
  const { shown } = followLoop();
  const nodes = { "loop/x-2": { origin: "disk", seconds: 0 }, "loop/x-1": { origin: "run", seconds: 1 } };
  const result = { nodes, outputs: {}, errors: [], error: null };
  applyResult(job({ id: "loops", state: "done", result: result as unknown as JobView["result"] }));
  expect(shown()).toMatchObject({ status: "done", origin: "disk" });
});
