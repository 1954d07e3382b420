import { expect, test } from "vitest";
import type { Workflow } from "./document";
import { loopType, makeLoop, type LoopType } from "./makeLoop";

const REPEAT = {
  id: "Repeat",
  version: 1,
  inputs: [
    {
      name: "body",
      type: "Body",
      body: { takes: { value: "T" }, mayTake: { index: "int" }, gives: { result: "T" } },
    },
    { name: "value", type: "T" },
    { name: "times", type: "int" },
  ],
  outputs: [{ name: "value", type: "T" }],
};
const FOR_EACH = {
  id: "ForEach",
  version: 1,
  inputs: [
    { name: "body", type: "Body", body: { takes: { item: "T" }, mayTake: {}, gives: { result: "U" } } },
    { name: "items", type: "list[T]" },
  ],
  outputs: [{ name: "results", type: "list[U]" }],
};
const repeat = loopType(REPEAT) as LoopType;
const forEach = loopType(FOR_EACH) as LoopType;

const TYPES = {
  Load: {
    inputs: [],
    outputs: [
      { name: "model", type: "Model" },
      { name: "clip", type: "Clip" },
    ],
  },
  Text: {
    inputs: [{ name: "clip", type: "Clip", required: true }],
    outputs: [{ name: "prompt", type: "Prompt" }],
  },
  Empty: { inputs: [], outputs: [{ name: "latent", type: "Latent" }] },
  Many: { inputs: [], outputs: [{ name: "latents", type: "list[Latent]" }] },
  Sample: {
    inputs: [
      { name: "model", type: "Model", required: true },
      { name: "prompt", type: "Prompt", required: true },
      { name: "latent", type: "Latent", required: true },
      { name: "steps", type: "int" },
    ],
    outputs: [{ name: "latent", type: "Latent" }],
  },
  Decode: {
    inputs: [{ name: "samples", type: "Latent", required: true }],
    outputs: [{ name: "image", type: "Image" }],
  },
  Save: { inputs: [{ name: "images", type: "Image", required: true }], outputs: [] },
};
const types = { signatureOf: (_: string, { type }: { type: string }) => TYPES[type as keyof typeof TYPES] };

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    load: { type: "Load", ui: { position: [0, 0] } },
    text: { type: "Text", links: { clip: ["load", "clip"] }, ui: { position: [0, 100] } },
    empty: { type: "Empty", ui: { position: [0, 200] } },
    sample: {
      type: "Sample",
      inputs: { steps: 3 },
      links: { model: ["load", "model"], prompt: ["text", "prompt"], latent: ["empty", "latent"] },
      ui: { position: [100, 0] },
    },
    decode: { type: "Decode", links: { samples: ["sample", "latent"] }, ui: { position: [200, 0] } },
  },
};
const make = (flow: Workflow, ids: readonly string[], loop = repeat) =>
  makeLoop(flow, null, ids, loop, "body", types);

test("what a loop is stands in its signature", () => {
  expect(repeat).toEqual({
    id: "Repeat",
    version: 1,
    body: "body",
    input: "value",
    output: "value",
    takes: "value",
    gives: "result",
    feedsBack: true,
    overList: false,
  });
  expect(forEach).toMatchObject({ input: "items", feedsBack: false, overList: true });
  expect(loopType({ id: "Load", version: 1, ...TYPES.Load })).toBeUndefined();
});

test("the wire that takes what the nodes give is fed by the loop, and what else they need goes into its body", () => {
  const made = make(FLOW, ["sample"]);
  if (typeof made === "string") throw new Error(made);
  const body = made.workflow.subgraphs?.["body"];
  expect(body).toMatchObject({
    inputs: { value: [["sample", "latent"]] },
    outputs: { result: ["sample", "latent"] },
  });
  expect(Object.keys(body?.nodes ?? {}).sort()).toEqual(["load", "sample", "text"]);
  expect(body?.nodes?.["sample"]?.links).toEqual({ model: ["load", "model"], prompt: ["text", "prompt"] });
  expect(made.workflow.nodes).toEqual({
    empty: FLOW.nodes?.["empty"],
    decode: { ...FLOW.nodes?.["decode"], links: { samples: [made.id, "value"] } },
    [made.id]: {
      type: "Repeat",
      version: 1,
      inputs: { body: "body" },
      links: { value: ["empty", "latent"] },
      ui: { position: [100, 0] },
    },
  });
});

test("what others need, too, is in both places", () => {
  const shared = { type: "Text", links: { clip: ["load", "clip"] as const } };
  const made = make({ ...FLOW, nodes: { ...FLOW.nodes, shared } }, ["sample"]);
  if (typeof made === "string") throw new Error(made);
  expect(Object.keys(made.workflow.nodes ?? {}).sort()).toEqual([
    "decode",
    "empty",
    "load",
    "repeat",
    "shared",
  ]);
});

test("a loop over a list takes the wire that carries one", () => {
  const links = { ...FLOW.nodes?.["sample"]?.links, latent: ["empty", "latents"] as const };
  const nodes = { ...FLOW.nodes, empty: { type: "Many" }, sample: { type: "Sample", links } };
  const made = make({ ...FLOW, nodes }, ["sample"], forEach);
  if (typeof made === "string") throw new Error(made);
  expect(made.workflow.nodes?.[made.id]?.links).toEqual({ items: ["empty", "latents"] });
  expect(made.workflow.subgraphs?.["body"]?.inputs).toEqual({ item: [["sample", "latent"]] });
});

test("a loop over a list takes one thing as a list of one", () => {
  const made = make(FLOW, ["decode"], forEach);
  if (typeof made === "string") throw new Error(made);
  expect(made.workflow.nodes?.[made.id]?.links).toEqual({ items: [["sample", "latent"]] });
});

test("nodes that end in something that gives nothing give back what goes round", () => {
  const save = { type: "Save", links: { images: ["decode", "image"] as const } };
  const flow = { ...FLOW, nodes: { ...FLOW.nodes, save } };
  const made = make(flow, ["sample", "decode", "save"]);
  if (typeof made === "string") throw new Error(made);
  expect(made.workflow.subgraphs?.["body"]?.outputs).toEqual({ result: ["sample", "latent"] });
  const each = make(flow, ["decode", "save"], forEach);
  if (typeof each === "string") throw new Error(each);
  expect(each.workflow.subgraphs?.["body"]?.outputs).toEqual({ result: ["decode", "image"] });
  expect(make(flow, ["save"])).toBe("noOutput");
});

test("an input that waits for a wire will do", () => {
  const bare = { type: "Sample" };
  const made = make({ ...FLOW, nodes: { bare } }, ["bare"]);
  if (typeof made === "string") throw new Error(made);
  expect(made.workflow.subgraphs?.["body"]?.inputs).toEqual({ value: [["bare", "latent"]] });
});

test.each([
  [["decode"], "nothingFits"],
  [["load"], "severalOutputs"],
  [["load", "sample"], "circle"],
  [[], "nothingFits"],
])("%j cannot be repeated: %s", (ids, why) => expect(make(FLOW, ids)).toBe(why));
