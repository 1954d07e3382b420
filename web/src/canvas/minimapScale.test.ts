import { expect, test } from "vitest";
import { fitBounds, onMap, toFlow, toMap } from "./minimapScale";

const MAP = { width: 200, height: 100 };
const BOXES = [
  { x: -500, y: 0, width: 240, height: 100 },
  { x: 3000, y: 900, width: 240, height: 400 },
];

test("everything is on the map", () => {
  const scale = fitBounds(BOXES, MAP);
  for (const box of BOXES) {
    const { x, y, width, height } = toMap(scale, box);
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(MAP.width);
    expect(y + height).toBeLessThanOrEqual(MAP.height);
  }
});

test("a place on the map is the place of the workflow that is drawn there", () => {
  const scale = fitBounds(BOXES, MAP);
  const { x, y } = toFlow(scale, toMap(scale, { x: 40, y: 70, width: 0, height: 0 }));
  expect(x).toBeCloseTo(40);
  expect(y).toBeCloseTo(70);
});

test("a workflow of one small node is not blown up", () => {
  expect(fitBounds([{ x: 0, y: 0, width: 16, height: 16 }], MAP).scale).toBe(1);
  expect(fitBounds([], MAP).scale).toBeGreaterThan(1);
});

test("of what is seen the map shows the part that lies on it", () => {
  expect(onMap({ x: -10, y: 20, width: 50, height: 200 }, MAP)).toEqual({
    x: 0,
    y: 20,
    width: 40,
    height: 80,
  });
  expect(onMap({ x: 300, y: -90, width: 50, height: 40 }, MAP)).toEqual({
    x: 200,
    y: 0,
    width: 0,
    height: 0,
  });
});
