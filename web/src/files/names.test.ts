import { expect, test } from "vitest";
import { nameProblem } from "./names";

test.each([
  ["", "Type a name"],
  ["../evil", "“..”"],
  ["a/./b", "“.”"],
  ["/abs", "two slashes"],
  ["a//b", "two slashes"],
  ["a/", "two slashes"],
])("%o is refused before it is sent", (name, told) => expect(nameProblem(name)).toContain(told));

test.each(["owl", "portraits/owl", "v1.", ".hidden", "a..b"])("%o is for the server to judge", (name) =>
  expect(nameProblem(name)).toBeUndefined(),
);
