import { expect, test } from "vitest";
import type { Workflow } from "./document";
import { issuesByNode, issuesOfNone, placeOf, worst, type Issue } from "./issues";

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: { up: { type: "subgraph/S" }, "a/b": { type: "Odd" } },
  subgraphs: {
    S: { nodes: { in: { type: "subgraph/T" }, x: { type: "X" } } },
    T: { nodes: { deep: { type: "D" } } },
  },
};
const issue = (node: string | null, severity: Issue["severity"] = "error"): Issue => ({
  code: "c",
  message: "m",
  node,
  severity,
});

test("a node is found by the id a run gives it, through subgraphs and despite odd ids", () => {
  expect(placeOf(FLOW, "up")).toEqual({ scope: null, id: "up", path: [] });
  expect(placeOf(FLOW, "up/in/deep")).toEqual({ scope: "T", id: "deep", path: ["up", "in"] });
  expect(placeOf(FLOW, "a/b")).toEqual({ scope: null, id: "a/b", path: [] });
  expect(placeOf(FLOW, "up/none")).toBeUndefined();
});

test("issues inside a subgraph are told at its node, and at the inner node where it is open", () => {
  const issues = [issue("up/in/deep"), issue("up", "warning"), issue(null)];
  expect(issuesByNode(issues).get("up")).toHaveLength(2);
  expect([...issuesByNode(issues, ["up"]).keys()]).toEqual(["in/deep", "in"]);
  expect(issuesOfNone(issues)).toEqual([issue(null)]);
});

test("an error outweighs warnings", () => {
  expect(worst([issue("a", "warning"), issue("a")])).toBe("error");
  expect(worst([issue("a", "warning")])).toBe("warning");
  expect(worst([])).toBeUndefined();
});
