import { describe, expect, it, test } from "vitest";
import { nextBrush, sinceCleared, stepsAfter, type MaskStep } from "./maskSteps";

const stroke: MaskStep = { kind: "stroke", width: 4, erase: false, places: [[0, 0]] };
const clear: MaskStep = { kind: "clear" };
const invert: MaskStep = { kind: "invert" };

test("what was before the mask was cleared no longer counts", () => {
  expect(sinceCleared([stroke, clear, invert, clear, stroke])).toEqual([clear, stroke]);
  expect(sinceCleared([stroke, invert])).toEqual([stroke, invert]);
});

test("a step more is done alone; one that was undone means all anew", () => {
  expect(stepsAfter([stroke], [stroke, invert])).toEqual([invert]);
  expect(stepsAfter([stroke, invert], [stroke, invert])).toEqual([]);
  expect(stepsAfter([stroke, invert], [stroke])).toBeUndefined();
});

describe("brushes", () => {
  it.each([
    [1, 1, 2],
    [40, 1, 50],
    [50, -1, 40],
    [2, -1, 1],
    [1, -1, 1],
    [500, 1, 512],
  ] as const)("%d, %d step, is %d", (size, direction, next) =>
    expect(nextBrush(size, direction, 512)).toBe(next),
  );
});
