import { expect, test } from "vitest";
import type { Graph } from "./document";
import { closesCycle, connect, disconnect, wiresOf } from "./wires";

const GRAPH: Graph = {
  nodes: {
    a: { type: "A" },
    b: { type: "B", links: { x: ["a", "out"] } },
    c: {
      type: "C",
      links: {
        x: [
          ["a", "out"],
          ["b", "out"],
        ],
      },
    },
  },
};

test("a wire replaces the one before", () => {
  expect(connect(GRAPH, ["c", "out"], "b", "x").nodes?.["b"]?.links).toEqual({ x: ["c", "out"] });
});

test("connecting what is connected changes nothing", () => {
  expect(connect(GRAPH, ["a", "out"], "b", "x")).toBe(GRAPH);
});

test("gathering makes a list of one link, and adds to a list but once", () => {
  const two = connect(GRAPH, ["c", "out"], "b", "x", { gather: true });
  expect(two.nodes?.["b"]?.links).toEqual({
    x: [
      ["a", "out"],
      ["c", "out"],
    ],
  });
  expect(connect(GRAPH, ["b", "out"], "c", "x", { gather: true })).toBe(GRAPH);
});

test("pulling one of several wires keeps the others, the last takes the field with it", () => {
  const one = disconnect(GRAPH, "c", "x", ["a", "out"]);
  expect(one.nodes?.["c"]?.links).toEqual({ x: [["b", "out"]] });
  expect(disconnect(one, "c", "x", ["b", "out"]).nodes?.["c"]).toEqual({ type: "C" });
  expect(disconnect(GRAPH, "b", "x").nodes?.["b"]).toEqual({ type: "B" });
  expect(disconnect(GRAPH, "b", "x", ["c", "out"])).toBe(GRAPH);
});

test("wires are listed with their place in a gathered list", () => {
  expect(wiresOf(GRAPH)).toEqual([
    { source: ["a", "out"], target: "b", input: "x", index: 0 },
    { source: ["a", "out"], target: "c", input: "x", index: 0 },
    { source: ["b", "out"], target: "c", input: "x", index: 1 },
  ]);
});

test("a wire that closes a circle is found", () => {
  expect(closesCycle(GRAPH, "c", "a")).toBe(true);
  expect(closesCycle(GRAPH, "a", "a")).toBe(true);
  expect(closesCycle(GRAPH, "a", "c")).toBe(false);
});
