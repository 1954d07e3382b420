import { expect, test } from "vitest";
import type { Workflow } from "@/model/document";
import { sampleType } from "./sampleType";
import { allSeedsFixed, withRandomSeeds } from "./seeds";

const sampler = sampleType("KSampler", {
  inputs: [
    {
      name: "seed",
      type: "Integer",
      required: false,
      description: "",
      socketOnly: false,
      schema: { type: "integer", "x-widget": { kind: "seed" } },
    },
  ],
});
const catalogue = { nodes: { KSampler: sampler }, bases: {} };

test("fixed seeds are told, and all can be made random, also inside subgraphs", () => {
  const flow: Workflow = {
    format: "nodegraph",
    nodes: { one: { type: "KSampler" }, wired: { type: "KSampler", links: { seed: ["n", "int"] } } },
    subgraphs: { Part: { nodes: { inner: { type: "KSampler" } } } },
  };
  expect(allSeedsFixed(flow, catalogue)).toBe(true);
  const random = withRandomSeeds(flow, catalogue);
  expect(allSeedsFixed(random, catalogue)).toBe(false);
  expect(random.nodes?.["one"]?.ui?.seeds).toEqual({ seed: "randomise" });
  expect(random.nodes?.["wired"]?.ui).toBeUndefined();
  expect(random.subgraphs?.["Part"]?.nodes?.["inner"]?.ui?.seeds).toEqual({ seed: "randomise" });
  expect(allSeedsFixed({ format: "nodegraph", nodes: {} }, catalogue)).toBe(false);
});
