import { expect, test } from "vitest";
import type { Workflow } from "@/model/document";
import { nodeName } from "./nodeNames";
import { sampleType } from "./sampleType";

const catalogue = {
  nodes: { KSampler: sampleType("KSampler"), Encode: sampleType("Encode", { title: "CLIP Text Encode" }) },
  bases: {},
};
const workflow: Workflow = {
  format: "nodegraph",
  nodes: {
    sampler: { type: "KSampler" },
    positive: { type: "Encode" },
    negative: { type: "Encode" },
    called: { type: "Encode", ui: { title: "Style" } },
    part: { type: "subgraph/Part" },
  },
  subgraphs: { Part: { nodes: { inner: { type: "KSampler" } } } },
};

test.each([
  ["sampler", "KSampler"],
  ["positive", "CLIP Text Encode (positive)"],
  ["called", "Style"],
  ["part/inner", "Part › KSampler"],
  ["gone", "gone"],
])("%s is called %s", (id, name) => {
  expect(nodeName(id, workflow, catalogue)).toBe(name);
});
