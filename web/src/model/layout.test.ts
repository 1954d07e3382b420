import fc from "fast-check";
import { expect, test } from "vitest";
import { graphs } from "./arbitrary";
import { linkList, nodesOf, type Graph } from "./document";
import { boxOf, guessSize, overlaps, type Box } from "./groups";
import { autoLayout, layOutUnplaced } from "./arranging";
import { align, distribute, snap } from "./layout";

const boxes = (graph: Graph): Record<string, Box> =>
  Object.fromEntries(Object.entries(nodesOf(graph)).map(([id, node]) => [id, boxOf(id, node, guessSize)]));

test("auto-layout puts every node right of what it needs, and none over another", async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (graph) => {
      const placed = boxes(await autoLayout(graph));
      for (const [id, node] of Object.entries(graph.nodes))
        for (const [source] of Object.values(node.links ?? {}).flatMap(linkList))
          expect(placed[source]?.x).toBeLessThan(placed[id]?.x ?? -Infinity);
      const all = Object.values(placed);
      all.forEach((box, index) =>
        all.slice(index + 1).forEach((other) => expect(overlaps(box, other)).toBe(false)),
      );
    }),
    { numRuns: 30 },
  );
});

const ROW: Graph = {
  nodes: {
    a: { type: "A", ui: { position: [0, 0], size: [100, 50] } },
    b: { type: "B", ui: { position: [130, 40], size: [50, 100] } },
    c: { type: "C", ui: { position: [400, 90], size: [100, 50] } },
  },
};
const places = (graph: Graph) => Object.values(nodesOf(graph)).map((node) => node.ui?.position);

test.each([
  [
    "left",
    [
      [0, 0],
      [0, 40],
      [0, 90],
    ],
  ],
  [
    "right",
    [
      [400, 0],
      [450, 40],
      [400, 90],
    ],
  ],
  [
    "centre",
    [
      [200, 0],
      [225, 40],
      [200, 90],
    ],
  ],
  [
    "top",
    [
      [0, 0],
      [130, 0],
      [400, 0],
    ],
  ],
  [
    "bottom",
    [
      [0, 90],
      [130, 40],
      [400, 90],
    ],
  ],
  [
    "middle",
    [
      [0, 45],
      [130, 20],
      [400, 45],
    ],
  ],
] as const)("align %s", (edge, wanted) => {
  expect(places(align(ROW, ["a", "b", "c"], edge))).toEqual(wanted);
});

test("distributing makes equal gaps and leaves the ends", () => {
  expect(places(distribute(ROW, ["c", "a", "b"], "horizontal")).map((place) => place?.[0])).toEqual([
    0, 225, 400,
  ]);
  expect(distribute(ROW, ["a", "b"], "vertical")).toBe(ROW);
});

test("only the nodes asked for are laid out; snapping goes to the grid", async () => {
  const some = await autoLayout(ROW, {}, ["a", "b"]);
  expect(some.nodes?.["c"]).toBe(ROW.nodes?.["c"]);
  expect(snap([29, -11])).toEqual([20, -20]);
});

test("only nodes without a place are laid out, below those that have one", async () => {
  const graph = {
    nodes: {
      kept: { type: "A", ui: { position: [500, 300] } },
      free: { type: "A" },
      other: { type: "A", links: { x: ["free", "y"] } },
    },
  } as const;
  const { nodes } = await layOutUnplaced<Graph>(graph);
  expect(nodes?.["kept"]).toBe(graph.nodes.kept);
  const places = [nodes?.["free"]?.ui?.position, nodes?.["other"]?.ui?.position];
  for (const place of places) expect(place?.[1]).toBeGreaterThan(400);
  expect(places[0]?.[0]).toBeLessThan(places[1]?.[0] ?? 0);
});
