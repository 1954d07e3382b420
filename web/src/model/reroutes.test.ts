import { expect, test } from "vitest";
import type { Graph } from "./document";
import { removeNodes } from "./edit";
import { addReroute, chain, moveReroute, removeReroute, reroutesOf, tidyReroutes } from "./reroutes";
import { connect, disconnect } from "./wires";

const GRAPH: Graph = { nodes: { a: { type: "A" }, b: { type: "B", links: { x: ["a", "out"] } } } };
const put = (graph: Graph, id: string, x = 10): Graph =>
  addReroute(graph, id, { target: "b", input: "x", source: ["a", "out"], position: [x, 20] });

test("a reroute leaves the real wire alone", () => {
  const graph = put(GRAPH, "r1");
  expect(graph.nodes?.["b"]?.links).toBe(GRAPH.nodes?.["b"]?.links);
  expect(graph.nodes?.["b"]?.ui?.via).toEqual({ x: "r1" });
});

test("adding and removing reroutes gives the same graph", () => {
  expect(removeReroute(put(GRAPH, "r1"), "r1")).toEqual(GRAPH);
  const two = put(put(GRAPH, "r1"), "r2", 50);
  expect(chain(reroutesOf(two), "r2")).toEqual(["r2", "r1"]);
  expect(chain(reroutesOf(removeReroute(two, "r1")), "r2")).toEqual(["r2"]);
  expect(removeReroute(removeReroute(two, "r1"), "r2")).toEqual(GRAPH);
});

test("reroutes go with the node they come from and with the last wire through them", () => {
  expect(removeNodes(put(GRAPH, "r1"), ["a"]).ui).toBeUndefined();
  expect(tidyReroutes(disconnect(put(GRAPH, "r1"), "b", "x")).ui).toBeUndefined();
});

test("a wire from elsewhere no longer passes the reroute", () => {
  const other = connect(put(GRAPH, "r1"), ["a", "second"], "b", "x");
  expect(tidyReroutes(other).nodes?.["b"]).toEqual({ type: "B", links: { x: ["a", "second"] } });
});

test("a reroute moves; a damaged file with a circle of them does not hang", () => {
  expect(reroutesOf(moveReroute(put(GRAPH, "r1"), "r1", [1, 2]))["r1"]?.position).toEqual([1, 2]);
  const circle = { r1: { position: [0, 0], source: ["a", "out"], via: "r1" } } as const;
  expect(chain(circle, "r1")).toEqual(["r1"]);
});
