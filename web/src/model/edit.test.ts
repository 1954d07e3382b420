import fc from "fast-check";
import { expect, test } from "vitest";
import { graphs, someOf } from "./arbitrary";
import { linkList, nodesOf, type Graph } from "./document";
import {
  addNode,
  clearInput,
  downstream,
  freshId,
  moveNodes,
  removeNodes,
  renameNode,
  setInput,
  setUi,
  showAsSocket,
  toggleMode,
  upstream,
} from "./edit";

const CHAIN: Graph = {
  nodes: {
    load: { type: "Load", inputs: { name: "a" } },
    mix: { type: "Mix", links: { x: ["load", "image"], y: [["load", "mask"]] } },
    save: { type: "Save", links: { images: ["mix", "image"] }, ui: { title: "Out" } },
  },
};

test("fresh ids are readable, new, and free of what separates parts of an id", () => {
  expect(freshId([], "KSampler")).toBe("ksampler");
  expect(freshId(["ksampler", "ksampler-2"], "KSampler")).toBe("ksampler-3");
  expect(freshId([], "pack.Name / x")).toBe("pack-name-x");
  expect(freshId([], "///")).toBe("node");
});

test("an edit leaves what it does not touch as it is", () => {
  const changed = setInput(CHAIN, "load", "name", "b");
  expect(changed.nodes?.["mix"]).toBe(CHAIN.nodes?.["mix"]);
  expect(setInput(CHAIN, "load", "name", "a")).toBe(CHAIN);
  expect(setInput(CHAIN, "absent", "name", "a")).toBe(CHAIN);
});

test("clearing an input goes back to the default, and an empty record is not kept", () => {
  expect(clearInput(CHAIN, "load", "name").nodes?.["load"]).toEqual({ type: "Load" });
});

test("removing a node takes its wires and no others", () => {
  const left = removeNodes(CHAIN, ["load"]);
  expect(Object.keys(left.nodes ?? {})).toEqual(["mix", "save"]);
  expect(left.nodes?.["mix"]?.links).toBeUndefined();
  expect(left.nodes?.["save"]).toBe(CHAIN.nodes?.["save"]);
});

test("no wire hangs in the air after any removal", () => {
  const cases = graphs.chain((graph) => fc.tuple(fc.constant(graph), someOf(graph)));
  fc.assert(
    fc.property(cases, ([graph, ids]) => {
      const left = nodesOf(removeNodes(graph, ids));
      const sources = Object.values(left).flatMap((node) =>
        Object.values(node.links ?? {}).flatMap(linkList),
      );
      expect(sources.every(([source]) => Object.hasOwn(left, source))).toBe(true);
      expect(Object.keys(left)).toHaveLength(Object.keys(graph.nodes).length - ids.length);
    }),
  );
});

test("adding and removing a node gives the same graph", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      expect(removeNodes(addNode(graph, "fresh", { type: "New" }), ["fresh"])).toEqual(graph);
    }),
  );
});

test("titles, places and modes are kept in ui, and leave no trace when taken back", () => {
  expect(renameNode(CHAIN, "save", " ").nodes?.["save"]?.ui).toBeUndefined();
  expect(moveNodes(CHAIN, new Map([["load", [3, 4]]])).nodes?.["load"]?.ui?.position).toEqual([3, 4]);
  const muted = toggleMode(CHAIN, ["load", "mix"], "muted");
  expect(muted.nodes?.["mix"]?.mode).toBe("muted");
  expect(toggleMode(muted, ["load", "mix"], "muted")).toEqual(CHAIN);
  expect(setUi(CHAIN, ["load"], { collapsed: undefined })).toEqual(CHAIN);
});

test("what changes nothing gives the same graph", () => {
  expect(renameNode(CHAIN, "load", " ")).toBe(CHAIN);
  expect(setUi(CHAIN, ["load"], { collapsed: undefined })).toBe(CHAIN);
  const named = renameNode(CHAIN, "save", "Keep");
  expect(renameNode(named, "save", "Keep")).toBe(named);
});

test("a widget becomes a socket and back, which pulls its wire out", () => {
  const socket = showAsSocket(CHAIN, "mix", "x", true);
  expect(socket.nodes?.["mix"]?.ui?.sockets).toEqual(["x"]);
  const widget = showAsSocket(socket, "mix", "x", false);
  expect(widget.nodes?.["mix"]).toEqual({ type: "Mix", links: { y: [["load", "mask"]] } });
});

test("what a node needs and what needs it", () => {
  expect([...downstream(CHAIN, ["load"])].sort()).toEqual(["mix", "save"]);
  expect([...upstream(CHAIN, ["save"])].sort()).toEqual(["load", "mix"]);
});
