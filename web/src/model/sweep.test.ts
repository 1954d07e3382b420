import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_VALUES, grid, parseValues } from "./sweep";

test("two inputs give every combination once, row by row", () => {
  const cells = grid([
    { node: "s", input: "cfg", values: [1, 2] },
    { node: "s", input: "steps", values: [10, 20] },
  ]);
  expect(cells.map(({ overrides }) => overrides)).toEqual([
    { "s.cfg": 1, "s.steps": 10 },
    { "s.cfg": 2, "s.steps": 10 },
    { "s.cfg": 1, "s.steps": 20 },
    { "s.cfg": 2, "s.steps": 20 },
  ]);
  expect(cells[1]?.place).toEqual([1, 0]);
});

test("one input gives a row, none gives nothing, no values no cells", () => {
  expect(grid([{ node: "s", input: "cfg", values: [1, 2] }]).map(({ place }) => place)).toEqual([[0], [1]]);
  expect(grid([])).toEqual([]);
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (across, down) => {
      const axes = [across, down].map((values, index) => ({ node: "n", input: `${index}`, values }));
      expect(grid(axes)).toHaveLength(across.length * down.length);
    }),
  );
});

test.each([
  ["1, 2, 5", "integer", [1, 2, 5]],
  ["1..4", "integer", [1, 2, 3, 4]],
  ["4..1", "integer", [4, 3, 2, 1]],
  ["0.1..0.4/0.1", "number", [0.1, 0.2, 0.3, 0.4]],
  ["euler, ddim", "text", ["euler", "ddim"]],
  ["a cat, red\na dog", "text", ["a cat, red", "a dog"]],
  ["", "number", []],
] as const)("%j as %s", (text, kind, values) => {
  expect(parseValues(text, kind)).toEqual(values);
});

test.each([
  ["1.5", "integer"],
  ["x", "number"],
  ["1..9/0", "number"],
  ["1..2/0.5", "integer"],
  [`1..${MAX_VALUES + 1}`, "integer"],
] as const)("%s is refused as %s", (text, kind) => {
  expect(() => parseValues(text, kind)).toThrow(RangeError);
});
