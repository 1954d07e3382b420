import { expect, test } from "vitest";
import type { Graph } from "./document";
import { addGroup, groupsOf, moveGroup, nodesInGroup, removeGroup, updateGroup } from "./groups";

const GRAPH: Graph = {
  nodes: {
    a: { type: "A", ui: { position: [0, 0], size: [100, 100] } },
    b: { type: "B", ui: { position: [200, 100], size: [100, 100] } },
    far: { type: "C", ui: { position: [2000, 0], size: [100, 100] } },
  },
};
const FRAMED = addGroup(GRAPH, { id: "g", title: "Both" }, ["a", "b"]);

test("a frame goes round the nodes it is made for, and holds those alone", () => {
  const [group] = groupsOf(FRAMED);
  expect(group).toMatchObject({ position: [-20, -52], size: [340, 272] });
  expect(group && nodesInGroup(FRAMED, group)).toEqual(["a", "b"]);
});

test("moving a frame moves what is inside and nothing else", () => {
  const moved = moveGroup(FRAMED, "g", [80, 48]);
  expect(moved.nodes?.["a"]?.ui?.position).toEqual([100, 100]);
  expect(moved.nodes?.["far"]).toBe(GRAPH.nodes?.["far"]);
});

test("frames are renamed, and leave no trace when removed", () => {
  expect(groupsOf(updateGroup(FRAMED, "g", { title: "New" }))[0]?.title).toBe("New");
  expect(removeGroup(FRAMED, "g")).toEqual(GRAPH);
  expect(addGroup(GRAPH, { id: "g", title: "" }, ["absent"])).toBe(GRAPH);
});
