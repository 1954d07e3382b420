import { afterEach, expect, it, vi } from "vitest";
import { noteRuns, resumeRuns, worthNoting } from "./resume";
import { useRuns, type Run } from "./runs";

const events = vi.hoisted(() => ({ last: undefined as number | undefined }));
vi.mock("./connection", async (original) => ({
  ...(await original<object>()),
  lastEvent: () => events.last,
}));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  useRuns.setState({ runs: {} });
});

const run = (job: string, state: Run["state"]): Run => ({ job, tab: "tab", state, planned: 0, finished: 0 });
const noted = (...runs: Run[]) => worthNoting(runs).map(({ job }) => job);

it("the last run that was done is noted, with those after it and those that go on", () => {
  const runs = [run("old", "done"), run("moved-back", "queued"), run("last", "done"), run("bad", "failed")];
  expect(noted(...runs)).toEqual(["moved-back", "last", "bad"]);
});

it("all that go on are noted, of those that failed only some", () => {
  const failed = Array.from({ length: 100 }, (_, index) => run(`failed-${index}`, "failed"));
  const waiting = Array.from({ length: 100 }, (_, index) => run(`waiting-${index}`, "queued"));
  expect(noted(...failed)).toHaveLength(20);
  expect(noted(...waiting, ...failed)).toHaveLength(120);
});

it("a run that was noted before any event came is noted with one as soon as it begins", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => kept.set(name, text),
  });
  const note = () => JSON.parse(kept.get("nodegraph.runs.tab") ?? "[]") as unknown;
  const stop = noteRuns();
  useRuns.setState({ runs: { j: run("j", "queued") } });
  expect(note()).toEqual([{ job: "j" }]);
  events.last = 1000;
  useRuns.setState({ runs: { j: run("j", "running") } });
  expect(note()).toEqual([{ job: "j", after: 500 }]);
  events.last = 9000;
  useRuns.setState({ runs: { j: run("j", "interrupted") } });
  expect(note()).toEqual([{ job: "j", after: 500 }]);
  stop();
});

it("a server that stumbles is asked again for what ran before", async () => {
  const kept: Record<string, string> = { "nodegraph.runs.tab": '[{"job":"a","after":7}]' };
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept[name] ?? null,
    setItem: (name: string, text: string) => void (kept[name] = text),
  });
  const job = { id: "a", state: "queued", started: null, result: null };
  const answers = [new Response("x", { status: 500 }), Response.json(job)];
  vi.stubGlobal("fetch", () => Promise.resolve(answers.shift()));
  vi.useFakeTimers();
  expect(await resumeRuns(["tab"])).toBe(7);
  expect(useRuns.getState().runs).toEqual({});
  await vi.advanceTimersByTimeAsync(1500);
  expect(useRuns.getState().runs["a"]).toMatchObject({ tab: "tab", state: "queued" });
});
