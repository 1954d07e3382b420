import { expect, it, vi } from "vitest";
import { noteRuns, worthNoting } from "./resume";
import { useRuns, type Run } from "./runs";

const events = vi.hoisted(() => ({ last: undefined as number | undefined }));
vi.mock("./connection", () => ({ lastEvent: () => events.last }));

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
  vi.unstubAllGlobals();
});
