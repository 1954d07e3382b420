import { expect, test } from "vitest";
import { changeWeight } from "./promptWeights";

/** Brackets show the selection, a bar the cursor. */
function change(marked: string, by: number): string {
  const cursor = marked.indexOf("|");
  const [start, end] = cursor >= 0 ? [cursor, cursor] : [marked.indexOf("["), marked.indexOf("]") - 1];
  return changeWeight(marked.replace(/[[\]|]/g, ""), start, end, by).text;
}

test.each([
  ["a [red] apple", 0.1, "a (red:1.1) apple"],
  ["a r|ed apple", 0.1, "a (red:1.1) apple"],
  ["a [ red ]apple", 0.1, "a  (red:1.1) apple"],
  ["a ([red]:1.1) apple", 0.1, "a (red:1.2) apple"],
  ["a [(red:1.1)] apple", -0.1, "a red apple"],
  ["a (red app|le:1.1), b", 0.05, "a (red apple:1.15), b"],
  ["a [red]", -0.1, "a (red:0.9)"],
  ["(red:1.1), gr|een", 0.1, "(red:1.1), (green:1.1)"],
  ["a, |, b", 0.1, "a, , b"],
])("%s by %d: %s", (marked, by, wanted) => {
  expect(change(marked, by)).toBe(wanted);
});

test("the words stay selected, so that the key can be pressed again", () => {
  let edit = changeWeight("a red apple", 2, 5, 0.1);
  edit = changeWeight(edit.text, edit.start, edit.end, 0.1);
  expect(edit.text).toBe("a (red:1.2) apple");
  expect(edit.text.slice(edit.start, edit.end)).toBe("red");
  for (let press = 0; press < 2; press += 1) edit = changeWeight(edit.text, edit.start, edit.end, -0.1);
  expect(edit.text).toBe("a red apple");
});
