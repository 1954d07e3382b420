import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_SEED, asSeed, isSeed, nextSeed, parseSeed, randomSeed } from "./seeds";

const seeds = fc.bigInt({ min: 0n, max: MAX_SEED }).map(asSeed);

test("incrementing and decrementing are opposite, over the whole range", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(nextSeed(nextSeed(seed, "increment"), "decrement")).toBe(seed);
    }),
  );
  expect(nextSeed(MAX_SEED, "increment")).toBe(0);
  expect(nextSeed(0, "decrement")).toBe(MAX_SEED);
});

test("seeds are read and written exactly", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(parseSeed(String(seed))).toBe(seed);
    }),
  );
  for (const text of ["", "-1", "1.5", "18446744073709551616", "seven"])
    expect(parseSeed(text)).toBeUndefined();
});

test("only whole numbers are seeds, and random ones can be read by every program", () => {
  expect([0, 7n].every(isSeed)).toBe(true);
  expect([1.5, -1, "7", null, 2 ** 60].some(isSeed)).toBe(false);
  expect(randomSeed(() => 0.999999)).toBeLessThan(2 ** 48);
});
