import { expect, test } from "vitest";
import { advanceSeeds, batchOf, takeSeeds } from "./batches";
import type { NodeEntry, Workflow } from "./document";

const sampler = (seed: number, after?: string, more: Partial<NodeEntry> = {}): NodeEntry => ({
  type: "KSampler",
  inputs: { seed },
  ...(after && { ui: { seeds: { seed: after } } }),
  ...more,
});
const flow = (nodes: Workflow["nodes"], subgraphs?: Workflow["subgraphs"]): Workflow => ({
  format: "nodegraph",
  ...(nodes && { nodes }),
  ...(subgraphs && { subgraphs }),
});

test("the runs of a batch differ in the seeds that go on", () => {
  const workflow = flow({ a: sampler(7, "increment"), b: sampler(9, "fixed"), c: sampler(1) });
  const { variants, after } = batchOf(workflow, 3);
  expect(variants).toEqual([{}, { "a.seed": 8 }, { "a.seed": 9 }]);
  expect(after.nodes?.["a"]?.inputs).toEqual({ seed: 10 });
  expect(after.nodes?.["b"]).toBe(workflow.nodes?.["b"]);
});

test("a batch in which nothing goes on is the same run again, and leaves the workflow alone", () => {
  const workflow = flow({ a: sampler(7) });
  expect(batchOf(workflow, 2)).toEqual({ variants: [{}, {}], after: workflow });
  expect(batchOf(workflow, 2).after).toBe(workflow);
});

test("a wire into a seed stays", () => {
  const wired = sampler(7, "increment", { links: { seed: ["other", "value"] } });
  expect(batchOf(flow({ a: wired }), 2).variants).toEqual([{}, {}]);
});

test("where a seed inside a subgraph goes on, a batch has one run", () => {
  const inner = { nodes: { a: sampler(7, "decrement") } };
  const { variants, after } = batchOf(flow({ s: { type: "subgraph/S" } }, { S: inner }), 3);
  expect(variants).toEqual([{}]);
  expect(after.subgraphs?.["S"]?.nodes?.["a"]?.inputs).toEqual({ seed: 6 });
});

test("seeds that were edited meanwhile stay as they are, and so does all else", () => {
  const before = flow({ a: sampler(7, "randomise"), b: sampler(1, "increment") });
  const after = advanceSeeds(before, () => 0);
  const now = flow({ a: sampler(7, "randomise"), b: sampler(50, "increment"), c: sampler(3) });
  const taken = takeSeeds(now, before, after);
  expect(taken).toEqual(flow({ a: sampler(0, "randomise"), b: sampler(50, "increment"), c: sampler(3) }));
});
