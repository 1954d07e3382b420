import { describe, expect, it } from "vitest";
import { clamp, limitBroken, limitsOf, parseNumber } from "./numbers";

const SIZE = limitsOf({ type: "integer", minimum: 16, maximum: 16_384, multipleOf: 8 });

describe("numbers that a schema allows", () => {
  it.each([
    [515, 512],
    [3, 16],
    [99_999, 16_384],
  ])("%d becomes %d", (given, allowed) => expect(clamp(given, SIZE)).toBe(allowed));

  it("has no binary dust", () => expect(clamp(0.1 + 0.2, limitsOf({ type: "number" }))).toBe(0.3));
});

describe("the limit that a number does not keep to", () => {
  it.each([
    [3, SIZE, "limitLeast"],
    [99_999, SIZE, "limitMost"],
    [515, SIZE, "limitStep"],
    [512, SIZE, undefined],
    [2.5, limitsOf({ type: "integer" }), "limitWhole"],
    [2.5, limitsOf({ type: "number", multipleOf: 1 }), undefined],
  ])("of %d", (value, limits, broken) => expect(limitBroken(value, limits)).toBe(broken));
});

describe("what someone types", () => {
  it.each([
    ["12", 12],
    [" 2,5 ", 2.5],
    ["512*2", 1024],
    ["-3 + 1", -2],
    ["", undefined],
    ["1/0", undefined],
    ["many", undefined],
  ])("%s", (text, number) => expect(parseNumber(text)).toBe(number));
});
