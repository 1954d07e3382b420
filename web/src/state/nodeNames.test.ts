import { expect, test } from "vitest";
import type { Workflow } from "@/model/document";
import { nodeName } from "./nodeNames";
import type { NodeType } from "./nodeTypes";

const type = (id: string, title: string): NodeType => ({
  id,
  title,
  category: "",
  version: 1,
  description: "",
  pack: "",
  terminal: false,
  examples: [],
  missing: false,
  inputs: [],
  outputs: [],
});
const catalogue = {
  nodes: { KSampler: type("KSampler", "KSampler"), Encode: type("Encode", "CLIP Text Encode") },
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
