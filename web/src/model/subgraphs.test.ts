import fc from "fast-check";
import { expect, test } from "vitest";
import { someOf, workflows } from "./arbitrary";
import { linkList, lookUp, nodesOf, type Workflow } from "./document";
import { makeSubgraph, obstacle } from "./makeSubgraph";
import { concealSocket, exposeInput, exposeOutput, wouldContainItself } from "./subgraphs";
import { unpackSubgraph } from "./unpackSubgraph";

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    load: { type: "Load", ui: { position: [0, 0] } },
    blur: {
      type: "Blur",
      inputs: { radius: 2 },
      links: { image: ["load", "image"] },
      ui: { position: [100, 0] },
    },
    mix: { type: "Mix", links: { a: ["load", "image"], b: ["blur", "image"] }, ui: { position: [200, 0] } },
    save: { type: "Save", links: { images: ["mix", "image"] }, ui: { position: [300, 0] } },
  },
};

test("wires from outside become inputs, shared where they are the same; wires outside become outputs", () => {
  const made = makeSubgraph(FLOW, null, ["blur", "mix"], "Soft");
  expect(made?.workflow.subgraphs?.["Soft"]).toMatchObject({
    inputs: {
      image: [
        ["blur", "image"],
        ["mix", "a"],
      ],
    },
    outputs: { image: ["mix", "image"] },
  });
  expect(made?.workflow.nodes?.[made.id]).toEqual({
    type: "subgraph/Soft",
    version: 1,
    links: { image: ["load", "image"] },
    ui: { position: [150, 0] },
  });
  expect(made?.workflow.nodes?.["save"]?.links).toEqual({ images: ["soft", "image"] });
});

/** The graph by what it computes: places and the order of nodes left out. */
function meaning(workflow: Workflow): Record<string, unknown> {
  const entries = Object.entries(nodesOf(workflow)).map(([id, { ui: _ui, ...rest }]) => [id, rest] as const);
  return Object.fromEntries(entries);
}

test("making a subgraph and unpacking it keeps the graph", () => {
  const cases = workflows.chain((flow) => fc.tuple(fc.constant(flow), someOf(flow)));
  fc.assert(
    fc.property(cases, ([flow, ids]) => {
      const made = makeSubgraph(flow, null, ids, "Part");
      fc.pre(made !== undefined);
      const back = made && unpackSubgraph(made.workflow, null, made.id);
      expect(back && meaning(back.workflow)).toEqual(meaning(flow));
      expect(back?.workflow.subgraphs).toBeUndefined();
      expect([...(back?.ids ?? [])].sort()).toEqual([...ids].sort());
    }),
  );
});

test("no wire hangs in the air, inside or outside, and places come back", () => {
  const made = makeSubgraph(FLOW, null, ["blur", "mix"], "Soft");
  const inner = made?.workflow.subgraphs?.["Soft"];
  for (const node of Object.values(nodesOf(inner ?? {})))
    for (const links of Object.values(node.links ?? {}))
      for (const [source] of linkList(links)) expect(lookUp(inner?.nodes, source)).toBeDefined();
  const back = made && unpackSubgraph(made.workflow, null, made.id);
  expect(back?.workflow.nodes?.["blur"]?.ui?.position).toEqual([100, 0]);
});

test("nodes around another cannot become one", () => {
  expect(obstacle(FLOW, new Set(["load", "mix"]))).toBe("circle");
  expect(makeSubgraph(FLOW, null, ["load", "mix"], "No")).toBeUndefined();
  const gathered: Workflow = {
    ...FLOW,
    nodes: {
      ...FLOW.nodes,
      mix: {
        type: "Mix",
        links: {
          a: [
            ["load", "image"],
            ["blur", "image"],
          ],
        },
      },
    },
  };
  expect(obstacle(gathered, new Set(["blur", "mix"]))).toBe("mixed");
});

test("a second use of a subgraph keeps its definition; values given outside go in", () => {
  const twice: Workflow = {
    format: "nodegraph",
    nodes: {
      one: { type: "subgraph/S", inputs: { r: 5 } },
      blur: { type: "subgraph/S", links: { r: ["one", "out"] } },
    },
    subgraphs: {
      S: {
        inputs: { r: [["blur", "radius"]] },
        outputs: { out: ["blur", "image"] },
        nodes: { blur: { type: "Blur", inputs: { radius: 1 } } },
      },
    },
  };
  const opened = unpackSubgraph(twice, null, "one");
  expect(opened?.ids).toEqual(["blur-2"]);
  expect(opened?.workflow.nodes?.["blur-2"]?.inputs).toEqual({ radius: 5 });
  expect(opened?.workflow.nodes?.["blur"]?.links).toEqual({ r: ["blur-2", "image"] });
  expect(opened?.workflow.subgraphs).toBe(twice.subgraphs);
  const all = opened && unpackSubgraph(opened.workflow, null, "blur");
  expect(all?.workflow.nodes?.["blur"]?.links).toEqual({ radius: ["blur-2", "image"] });
});

test("sockets are shown outside and taken back with their wires", () => {
  const made = makeSubgraph(FLOW, null, ["blur", "mix"], "Soft");
  const soft = made?.workflow.subgraphs?.["Soft"] ?? {};
  expect(exposeInput(soft, ["blur", "radius"]).inputs).toHaveProperty("radius", [["blur", "radius"]]);
  expect(exposeOutput(soft, ["blur", "image"]).outputs).toHaveProperty("image_2", ["blur", "image"]);
  const without = made && concealSocket(made.workflow, "Soft", "outputs", "image");
  expect(without?.nodes?.["save"]?.links).toBeUndefined();
  expect(without?.subgraphs?.["Soft"]?.outputs).toEqual({});
  const fed = made && concealSocket(made.workflow, "Soft", "inputs", "image");
  expect(fed?.nodes?.["soft"]?.links).toBeUndefined();
});

test("a subgraph must not come to hold itself", () => {
  const flow: Workflow = {
    format: "nodegraph",
    subgraphs: { A: { nodes: { b: { type: "subgraph/B" } } }, B: {} },
  };
  expect(wouldContainItself(flow, "B", "subgraph/A")).toBe(true);
  expect(wouldContainItself(flow, "A", "subgraph/B")).toBe(false);
  expect(wouldContainItself(flow, null, "subgraph/A")).toBe(false);
});
