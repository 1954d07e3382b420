import { expect, test } from "vitest";
import { issuesByNode, issuesOfNone, worst, type Issue } from "./issues";

const issue = (node: string | null, severity: Issue["severity"] = "error"): Issue => ({
  code: "c",
  message: "m",
  node,
  severity,
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
