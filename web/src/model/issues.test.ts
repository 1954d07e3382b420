import { expect, test } from "vitest";
import { worst, type Issue } from "./issues";

const issue = (node: string, severity: Issue["severity"] = "error"): Issue => ({
  code: "c",
  message: "m",
  node,
  severity,
});

test("an error outweighs warnings", () => {
  expect(worst([issue("a", "warning"), issue("a")])).toBe("error");
  expect(worst([issue("a", "warning")])).toBe("warning");
  expect(worst([])).toBeUndefined();
});
