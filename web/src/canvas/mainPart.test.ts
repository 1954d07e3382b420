import { expect, test } from "vitest";
import { isMiddleBare, mainPart } from "./mainPart";

const box = (x: number, y: number) => ({ x, y, width: 100, height: 50 });

test("one node far out does not take the others out of sight", () => {
  const near = [box(0, 0), box(300, 0), box(0, 400)];
  expect(mainPart([box(900_000, -900_000), ...near], 10_000, 8_000)).toEqual(near);
  expect(mainPart([box(0, 0), box(900_000, 0)], 10_000, 8_000)).toEqual([box(0, 0)]);
});

test("of a field that is too large the middle is shown", () => {
  const field = Array.from({ length: 101 }, (_, index) => box(index * 1000, 0));
  expect(mainPart(field, 4000, 4000).map(({ x }) => x)).toEqual([48_000, 49_000, 50_000, 51_000, 52_000]);
});

test("the middle is bare where one node lies far out, not where nodes are all over the place", () => {
  const whole = { x: 0, y: 0, width: 100_000, height: 50 };
  expect(isMiddleBare([box(0, 0), box(99_900, 0)], whole, 4000, 4000)).toBe(true);
  expect(isMiddleBare([box(0, 0), box(48_100, 0), box(99_900, 0)], whole, 4000, 4000)).toBe(false);
  expect(isMiddleBare([box(0, 0)], box(0, 0), 4000, 4000)).toBe(false);
});
