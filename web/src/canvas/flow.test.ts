import { describe, expect, it } from "vitest";
import type { Workflow } from "@/model/document";
import { setInput, setUi } from "@/model/edit";
import { NO_CATALOGUE } from "@/state/nodeTypes";
import { FlowEdges, FlowNodes, frameNodeId, readFlowId, readWireId, rerouteNodeId } from "./flow";

const WORKFLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    a: { type: "A", inputs: { text: "x" }, ui: { position: [0, 0] } },
    b: { type: "B", links: { image: ["a", "out"] }, ui: { position: [300, 0] } },
  },
};

const context = (workflow: Workflow, selected: readonly string[] = []) => ({
  graph: workflow,
  workflow,
  catalogue: NO_CATALOGUE,
  selection: new Set(selected),
  measured: 0,
});

describe("drawn nodes", () => {
  it("typing changes none of them", () => {
    const nodes = new FlowNodes();
    const before = nodes.draw(context(WORKFLOW));
    expect(nodes.draw(context(setInput(WORKFLOW, "a", "text", "longer")))).toBe(before);
  });

  it("a move changes the one that moved", () => {
    const nodes = new FlowNodes();
    const [a, b] = nodes.draw(context(WORKFLOW));
    const [movedA, movedB] = nodes.draw(context(setUi(WORKFLOW, ["a"], { position: [50, 60] })));
    expect(movedA?.position).toEqual({ x: 50, y: 60 });
    expect(movedA).not.toBe(a);
    expect(movedB).toBe(b);
  });

  it("selection changes the one that is selected", () => {
    const nodes = new FlowNodes();
    const [, b] = nodes.draw(context(WORKFLOW));
    const [selected, other] = nodes.draw(context(WORKFLOW, ["a"]));
    expect(selected?.selected).toBe(true);
    expect(other).toBe(b);
  });

  it("a size found by React Flow makes a new object, with the sockets where they were", () => {
    const nodes = new FlowNodes();
    const [a] = nodes.draw(context(WORKFLOW));
    nodes.measure("a", { width: 240, height: 900 });
    const [taller] = nodes.draw(context(WORKFLOW));
    expect(taller?.measured?.height).toBe(900);
    expect(taller?.handles).toEqual(a?.handles);
    expect(taller).not.toBe(a);
  });
});

describe("drawn wires", () => {
  it("keep their identity, and tell which input they end in", () => {
    const edges = new FlowEdges();
    const [wire] = edges.draw(context(WORKFLOW));
    expect(readWireId(wire?.id ?? "")).toEqual({ target: "b", input: "image", index: 0 });
    expect(edges.draw(context(setInput(WORKFLOW, "a", "text", "y")))[0]).toBe(wire);
  });

  it("go through reroutes", () => {
    const rerouted: Workflow = {
      ...WORKFLOW,
      nodes: {
        ...WORKFLOW.nodes,
        b: { type: "B", links: { image: ["a", "out"] }, ui: { via: { image: "r" } } },
      },
      ui: { reroutes: { r: { position: [100, 50], source: ["a", "out"] } } },
    };
    const pieces = new FlowEdges().draw(context(rerouted));
    expect(pieces.map(({ source, target }) => [source, target])).toEqual([
      ["a", rerouteNodeId("r")],
      [rerouteNodeId("r"), "b"],
    ]);
  });
});

describe("ids of what is drawn", () => {
  it.each([
    ["sampler", { kind: "card", id: "sampler" }],
    [rerouteNodeId("r/1"), { kind: "reroute", id: "r/1" }],
    [frameNodeId("f"), { kind: "frame", id: "f" }],
  ])("%s", (flowId, read) => expect(readFlowId(flowId)).toEqual(read));
});
