import { expect, test } from "vitest";
import { distinctIssues } from "./issues";

test("the same words about the same node are told once", () => {
  const issue = (node: string | null, message: string) => ({ node, message });
  const told = [issue("a", "x"), issue("b", "x"), issue("a", "x"), issue(null, "x")];
  expect(distinctIssues(told)).toEqual([issue("a", "x"), issue("b", "x"), issue(null, "x")]);
});
