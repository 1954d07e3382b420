import { expect, test } from "vitest";
import { renameUses, usesOf, type BodyInputs } from "./bodies";
import { copy, paste } from "./clipboard";
import type { Workflow } from "./document";
import { newBody } from "./newBody";
import { adoptOwn, ownNode } from "./ownNodes";
import { wouldContainItself } from "./subgraphs";
import { unpackSubgraph } from "./unpackSubgraph";

const bodyInputs: BodyInputs = (type) => (type === "Repeat" ? ["body"] : []);
const FLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    loop: { type: "Repeat", inputs: { body: "B", times: 3 } },
    part: { type: "subgraph/B" },
    text: { type: "Text", inputs: { body: "B" } },
  },
  subgraphs: {
    B: { nodes: { inner: { type: "Repeat", inputs: { body: "C" } } } },
    C: { nodes: { x: { type: "X" } } },
  },
};
const [loop, part, text] = [FLOW.nodes?.["loop"], FLOW.nodes?.["part"], FLOW.nodes?.["text"]];

test("a node uses the subgraph it stands for, and those that its inputs for bodies name", () => {
  expect(loop && usesOf(loop, bodyInputs)).toEqual([{ name: "B", input: "body" }]);
  expect(part && usesOf(part, bodyInputs)).toEqual([{ name: "B" }]);
  expect(text && usesOf(text, bodyInputs)).toEqual([]);
  expect(usesOf({ type: "Repeat", inputs: { body: "" } }, bodyInputs)).toEqual([]);
});

test("uses are renamed, and nothing else", () => {
  const renamed = new Map([["B", "D"]]);
  expect(loop && renameUses(loop, renamed, bodyInputs).inputs).toEqual({ body: "D", times: 3 });
  expect(part && renameUses(part, renamed, bodyInputs).type).toBe("subgraph/D");
  expect(text && renameUses(text, renamed, bodyInputs)).toBe(text);
});

test("a copy of a loop brings its body and what that runs, under new names where they are taken", () => {
  const clipping = copy(FLOW, null, ["loop"], { bodyInputs });
  expect(Object.keys(clipping.subgraphs ?? {})).toEqual(["B", "C"]);
  const other: Workflow = { format: "nodegraph", nodes: {}, subgraphs: { C: { nodes: {} } } };
  const pasted = paste(other, null, clipping, { bodyInputs }).workflow;
  expect(pasted.nodes?.["loop"]?.inputs?.["body"]).toBe("B");
  expect(pasted.subgraphs?.["B"]?.nodes?.["inner"]?.inputs).toEqual({ body: "C 2" });
  expect(pasted.subgraphs?.["C 2"]).toEqual(FLOW.subgraphs?.["C"]);
});

test("a node of one's own brings the bodies of its loops", () => {
  const own = ownNode(FLOW, "B", "Mine", { bodyInputs });
  const adopted = adoptOwn({ format: "nodegraph", nodes: {} }, own, bodyInputs);
  expect(Object.keys(adopted?.workflow.subgraphs ?? {}).sort()).toEqual(["C", "Mine"]);
});

test("a body that would run itself is found through the bodies in it", () => {
  expect(wouldContainItself(FLOW, "C", "subgraph/B", bodyInputs)).toBe(true);
  expect(wouldContainItself(FLOW, "B", "subgraph/C", bodyInputs)).toBe(false);
});

test("a subgraph stays as long as a loop runs it", () => {
  expect(unpackSubgraph(FLOW, null, "part", bodyInputs)?.workflow.subgraphs?.["B"]).toBeDefined();
  const { loop: _, ...nodes } = FLOW.nodes ?? {};
  expect(
    unpackSubgraph({ ...FLOW, nodes }, null, "part", bodyInputs)?.workflow.subgraphs?.["B"],
  ).toBeUndefined();
});

const passing = { type: "Identity", version: 1, input: "value", output: "value" };

test("a new body gives back the one thing that it takes", () => {
  const body = newBody({ takes: { value: "T" }, mayTake: { index: "int" }, gives: { result: "T" } }, passing);
  expect(body.inputs).toEqual({ value: [["value", "value"]], index: [["index", "value"]] });
  expect(body.outputs).toEqual({ result: ["result", "value"] });
  expect(body.nodes?.["result"]?.links).toEqual({ value: ["value", "value"] });
  expect(body.nodes?.["index"]).toMatchObject({
    type: "Identity",
    ui: { title: "index", position: [0, 120] },
  });
});

test("what a new body takes is not what it gives where the types differ", () => {
  const body = newBody({ takes: { image: "Image" }, mayTake: {}, gives: { score: "float" } }, passing);
  expect(body.nodes?.["score"]?.links).toBeUndefined();
});
