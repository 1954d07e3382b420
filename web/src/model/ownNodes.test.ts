import { expect, test } from "vitest";
import type { Workflow } from "./document";
import { adoptOwn, ownNode, renamedOwn, subgraphOfOwn } from "./ownNodes";

const workflow: Workflow = {
  format: "nodegraph",
  nodes: { a: { type: "subgraph/Soft" }, b: { type: "Integer" } },
  subgraphs: {
    Soft: {
      inputs: { picture: [["blur", "image"]] },
      nodes: { blur: { type: "Blur" }, deep: { type: "subgraph/Deep" } },
    },
    Deep: { nodes: {} },
    Other: { nodes: {} },
  },
};

test("an own node is a workflow with one node and all that is inside it", () => {
  const own = ownNode(workflow, "Soft", "Soft focus", { description: "Blurs." });
  expect(own.subgraphs).toEqual({ "Soft focus": workflow.subgraphs?.["Soft"], Deep: { nodes: {} } });
  expect(subgraphOfOwn(own)).toBe("Soft focus");
  expect([own.name, own.description]).toEqual(["Soft focus", "Blurs."]);
});

test("a name that something inside has does not take its place", () => {
  const own = ownNode(workflow, "Soft", "Deep");
  expect(own.subgraphs?.["Deep"]).toEqual({ nodes: {} });
  expect(own.subgraphs?.[subgraphOfOwn(own) ?? ""]).toEqual(workflow.subgraphs?.["Soft"]);
  expect(own.name).toBe("Deep");
});

test("a new name keeps what it does and what is said of it", () => {
  const renamed = renamedOwn(ownNode(workflow, "Soft", "One", { description: "Blurs." }), "Two");
  expect(renamed).toEqual(ownNode(workflow, "Soft", "Two", { description: "Blurs." }));
});

test("it is brought into a workflow once, beside others of its name", () => {
  const own = ownNode(workflow, "Soft", "Soft focus");
  const once = adoptOwn(workflow, own);
  expect(once?.type).toBe("subgraph/Soft focus");
  expect(adoptOwn(once?.workflow ?? workflow, own)?.workflow).toBe(once?.workflow);
  const other: Workflow = { format: "nodegraph", subgraphs: { "Soft focus": { nodes: {} } } };
  const beside = adoptOwn(other, own);
  expect(beside?.type).toBe("subgraph/Soft focus 2");
  expect(beside?.workflow.subgraphs?.["Soft focus"]).toEqual({ nodes: {} });
  expect(adoptOwn(other, workflow)).toBeUndefined();
});
