import { beforeEach, expect, it } from "vitest";
import { applyEvent, applyResult, followJob, useRuns, type JobView } from "./runs";

const job = (fields: Partial<JobView> = {}) =>
  ({ id: "j", state: "queued", started: null, result: null, ...fields }) as JobView;
const node = (path: string) => useRuns.getState().nodes["tab"]?.[path];

beforeEach(() => {
  useRuns.setState({ runs: {}, nodes: {} });
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
