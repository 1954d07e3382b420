import { expect, test } from "vitest";
import type { Workflow } from "./document";
import { madeWith } from "./madeWith";

const flow: Workflow = {
  format: "nodegraph",
  nodes: {
    negative: { type: "Encode", inputs: { text: "ugly" } },
    positive: { type: "Encode", inputs: { text: "a red apple" } },
    sampler: {
      type: "subgraph/Sample",
      inputs: { seed: 7 },
      links: { negative: ["negative", "c"], positive: ["positive", "c"] },
    },
    save: { type: "Save", links: { images: ["sampler", "image"] } },
    other: { type: "Encode", inputs: { text: "not used" } },
  },
  subgraphs: { Sample: { nodes: { inner: { type: "KSampler", inputs: { seed: 1, cfg: 2.5 } } } } },
};

test("the prompt, the seed and the rest are found upstream of the picture", () => {
  expect(madeWith(flow, "save")).toEqual({ text: "a red apple", seed: 7, cfg: 2.5 });
  expect(madeWith(flow, "gone")).toEqual({});
});
