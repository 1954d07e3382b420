import { expect, test } from "vitest";
import type { Graph, NodeEntry, Workflow } from "./document";
import { resolveModes, runnable } from "./modes";
import type { Signature } from "./typing";

const SIGNATURE: Signature = {
  inputs: [
    { name: "latent", type: "Latent" },
    { name: "image", type: "Image" },
  ],
  outputs: [{ name: "image", type: "Image" }],
};
const graph = (mode: "muted" | "bypassed"): Graph => ({
  nodes: {
    load: { type: "Load" },
    blur: { type: "Blur", links: { latent: ["load", "latent"], image: ["load", "image"] }, ui: { mode } },
    save: { type: "Save", links: { images: ["blur", "image"] } },
    other: { type: "Save", links: { images: ["load", "image"] } },
  },
});
const signatureOf = (): Signature => SIGNATURE;

test("a bypassed node hands on its input of the same type", () => {
  const left = resolveModes(graph("bypassed"), signatureOf);
  expect(left.nodes?.["blur"]).toBeUndefined();
  expect(left.nodes?.["save"]?.links).toEqual({ images: ["load", "image"] });
});

test("a muted node goes with all that needs it, the rest stays", () => {
  expect(Object.keys(resolveModes(graph("muted"), signatureOf).nodes ?? {})).toEqual(["load", "other"]);
});

test("a bypassed node with nothing to hand on counts as muted", () => {
  const nodes: Record<string, NodeEntry> = {
    ...graph("bypassed").nodes,
    blur: { type: "Blur", ui: { mode: "bypassed" } },
  };
  expect(Object.keys(resolveModes({ nodes }, signatureOf).nodes ?? {})).toEqual(["load", "other"]);
});

test("bypassed nodes in a row are all passed, inside subgraphs too; without any the document is the same", () => {
  const row = { ...graph("bypassed").nodes };
  row["again"] = { type: "Blur", links: { image: ["blur", "image"] }, ui: { mode: "bypassed" } };
  row["save"] = { type: "Save", links: { images: [["again", "image"]] } };
  const workflow: Workflow = { format: "nodegraph", nodes: {}, subgraphs: { s: { nodes: row } } };
  const sent = runnable(workflow, () => signatureOf);
  expect(sent.subgraphs?.["s"]?.nodes?.["save"]?.links).toEqual({ images: [["load", "image"]] });
  const plain: Workflow = { format: "nodegraph", nodes: { a: { type: "A" } }, subgraphs: {} };
  expect(runnable(plain, () => signatureOf)).toBe(plain);
});
