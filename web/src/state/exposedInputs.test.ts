import { expect, test } from "vitest";
import type { NodeEntry, SubgraphEntry, Workflow } from "@/model/document";
import { nodeTypeOf, subgraphType, type InputType } from "./nodeTypes";
import { sampleType } from "./sampleType";

const text: InputType = {
  name: "text",
  type: "String",
  required: true,
  description: "",
  socketOnly: false,
  schema: { type: "string" },
};
const encode = sampleType("Encode", { inputs: [text] });
const catalogue = { nodes: { Encode: encode }, bases: {} };

function outside(inner: NodeEntry, subgraphs: Record<string, SubgraphEntry> = {}, type = "subgraph/S") {
  const own = { inputs: { text: [["encode", "text"] as const] }, nodes: { encode: inner } };
  const workflow: Workflow = { format: "nodegraph", nodes: {}, subgraphs: { S: own, ...subgraphs } };
  return subgraphType(type, { graph: workflow, workflow, catalogue })?.inputs[0];
}

test("what an input holds inside is its default outside, and it is not asked for there", () => {
  const filled = outside({ type: "Encode", inputs: { text: "a red apple" } });
  expect(filled).toMatchObject({ name: "text", default: "a red apple", required: false });
});

test("an input that holds nothing inside is as it is inside", () => {
  expect(outside({ type: "Encode" })).toEqual(text);
});

test("so it is through two subgraphs, where the outer one may say otherwise", () => {
  const wrapping = (node: NodeEntry): Record<string, SubgraphEntry> => ({
    T: { inputs: { words: [["s", "text"]] }, nodes: { s: node } },
  });
  const inner = { type: "Encode", inputs: { text: "a red apple" } };
  const plain = outside(inner, wrapping({ type: "subgraph/S" }), "subgraph/T");
  expect(plain).toMatchObject({ name: "words", default: "a red apple" });
  const other = { type: "subgraph/S", inputs: { text: "a pear" } };
  expect(outside(inner, wrapping(other), "subgraph/T")).toMatchObject({ default: "a pear" });
});

test("a change inside is seen outside", () => {
  const of = (words: string) => {
    const S = {
      inputs: { text: [["encode", "text"] as const] },
      nodes: { encode: { type: "Encode", inputs: { text: words } } },
    };
    const entry = { type: "subgraph/S" };
    const workflow: Workflow = { format: "nodegraph", nodes: { s: entry }, subgraphs: { S } };
    return nodeTypeOf("s", entry, { graph: workflow, workflow, catalogue }).inputs[0]?.default;
  };
  expect([of("one"), of("two")]).toEqual(["one", "two"]);
});
