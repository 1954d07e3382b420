import { expect, test } from "vitest";
import { layoutOf } from "./sweepPicture";

test("cells lie side by side and do not overlap", () => {
  const { width, height, scale, at } = layoutOf(
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    100,
    50,
  );
  expect(scale).toBe(1);
  expect(at([0, 0])).toEqual([0, 0]);
  expect(at([1, 1])[0]).toBeGreaterThanOrEqual(100);
  expect(at([1, 1])[1]).toBeGreaterThanOrEqual(50);
  expect(width).toBeGreaterThanOrEqual(at([1, 1])[0] + 100);
  expect(height).toBeGreaterThanOrEqual(at([1, 1])[1] + 50);
});

test("a large grid is made smaller, so that a browser can draw it", () => {
  const places = Array.from({ length: 60 }, (_, index) => [index]);
  const { width, scale } = layoutOf(places, 1024, 1024);
  expect(width).toBeLessThanOrEqual(8192);
  expect(scale).toBeLessThan(0.2);
});
