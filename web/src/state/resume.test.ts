import { expect, it } from "vitest";
import { worthNoting } from "./resume";
import type { Run } from "./runs";

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
