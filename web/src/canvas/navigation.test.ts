import { expect, it } from "vitest";
import type { Graph, Point } from "@/model/document";
import { nearestIn, readingOrder } from "./navigation";

const at = (position: Point) => ({ type: "T", ui: { position } });
const GRAPH: Graph = {
  nodes: { right: at([700, 10]), left: at([0, 0]), below: at([0, 400]), middle: at([350, 20]) },
};

it("reads columns from left to right, each from top to bottom", () => {
  expect(readingOrder(GRAPH)).toEqual(["left", "below", "middle", "right"]);
});

it("goes to the nearest node on a side", () => {
  expect(nearestIn(GRAPH, "left", "right")).toBe("middle");
  expect(nearestIn(GRAPH, "middle", "left")).toBe("left");
  expect(nearestIn(GRAPH, "left", "down")).toBe("below");
  expect(nearestIn(GRAPH, "left", "up")).toBeUndefined();
});
