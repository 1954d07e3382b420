import fc from "fast-check";
import { expect, test } from "vitest";
import { someOf, workflows } from "./arbitrary";
import { linkList, lookUp, nodesOf, type Workflow } from "./document";
import { CLIPBOARD_FORMAT, clippingOf, copy, paste, readClipping, writeClipping } from "./clipboard";
import { parsed } from "./reading";

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    load: { type: "Load", ui: { position: [0, 0] } },
    mix: { type: "Mix", links: { x: ["load", "image"] }, ui: { position: [100, 50] } },
    sub: { type: "subgraph/Blur", links: { image: ["mix", "image"] }, ui: { position: [200, 0] } },
  },
  subgraphs: { Blur: { nodes: { inner: { type: "subgraph/Deep" } } }, Deep: { nodes: {} }, Other: {} },
};

test("pasting keeps every wire among the copied nodes and makes new ids", () => {
  const cases = workflows.chain((flow) => fc.tuple(fc.constant(flow), someOf(flow)));
  fc.assert(
    fc.property(cases, ([flow, ids]) => {
      const { workflow, ids: fresh } = paste(flow, null, copy(flow, null, ids));
      const names = new Map(ids.map((id, index) => [id, fresh[index] ?? ""]));
      expect(new Set(fresh).size).toBe(ids.length);
      for (const id of ids) {
        const wanted = Object.entries(lookUp(flow.nodes, id)?.links ?? {})
          .filter(([, links]) => linkList(links).every(([source]) => names.has(source)))
          .map(([input, links]) => [input, linkList(links).map(([source, out]) => [names.get(source), out])]);
        const got = Object.entries(lookUp(workflow.nodes, names.get(id) ?? "")?.links ?? {});
        expect(got.map(([input, links]) => [input, linkList(links)])).toEqual(wanted);
        expect(lookUp(workflow.nodes, id)).toBe(lookUp(flow.nodes, id));
      }
    }),
  );
});

test("outer wires are kept where they are asked for and their source is there", () => {
  const clipping = copy(FLOW, null, ["mix"]);
  const kept = paste(FLOW, null, clipping, { withOuterLinks: true });
  expect(kept.workflow.nodes?.["mix-2"]?.links).toEqual({ x: ["load", "image"] });
  expect(paste(FLOW, null, clipping).workflow.nodes?.["mix-2"]?.links).toBeUndefined();
});

test("pasting at a point puts the top left corner there", () => {
  const { workflow, ids } = paste(FLOW, null, copy(FLOW, null, ["load", "mix"]), { at: [1000, 500] });
  expect(ids.map((id) => workflow.nodes?.[id]?.ui?.position)).toEqual([
    [1000, 500],
    [1100, 550],
  ]);
});

test("subgraphs come along with those inside them, and get another name only where they differ", () => {
  const clipping = copy(FLOW, null, ["sub"]);
  expect(Object.keys(clipping.subgraphs ?? {})).toEqual(["Blur", "Deep"]);
  const empty: Workflow = { format: "nodegraph", nodes: {} };
  const pasted = paste(empty, null, clipping).workflow;
  expect(pasted.subgraphs).toEqual({ Blur: FLOW.subgraphs?.["Blur"], Deep: { nodes: {} } });
  expect(paste(FLOW, null, clipping).workflow.subgraphs).toBe(FLOW.subgraphs);
  const clash: Workflow = { format: "nodegraph", nodes: {}, subgraphs: { Deep: { description: "mine" } } };
  const merged = paste(clash, null, clipping).workflow;
  expect(merged.subgraphs?.["Deep 2"]).toEqual({ nodes: {} });
  expect(merged.subgraphs?.["Blur"]?.nodes?.["inner"]?.type).toBe("subgraph/Deep 2");
  expect(merged.subgraphs?.["Deep"]).toEqual({ description: "mine" });
});

test("the clipboard survives as text; whole workflows can be pasted; other text is none", () => {
  const clipping = copy(FLOW, null, ["load", "sub"]);
  expect(readClipping(parsed(writeClipping(clipping)))).toEqual({ clipping, dropped: [] });
  expect(Object.keys(clippingOf(FLOW).nodes)).toEqual(Object.keys(nodesOf(FLOW)));
  for (const other of ["text", null, 5, [1], { nodes: 3 }, FLOW]) expect(readClipping(other)).toBeUndefined();
});

test("a damaged clipping is refused with its places, and what cannot be drawn of one is left out", () => {
  const format = CLIPBOARD_FORMAT;
  expect(() => readClipping({ format, nodes: { a: { type: "A", links: { x: 5 } } } })).toThrow(
    "nodes.a.links.x: must be a link",
  );
  const found = readClipping({ format, nodes: { a: { type: "A", ui: { title: {} } } }, groups: [null] });
  expect(found?.clipping).toMatchObject({ nodes: { a: { type: "A" } }, groups: [] });
  expect(found?.dropped).toEqual([
    "nodes.a.ui.title: must be text, not an empty object",
    "ui.groups[0]: must be an object, not null",
  ]);
});

test("frames are pasted with new ids", () => {
  const group = { id: "g", title: "G", position: [0, 0], size: [9, 9] } as const;
  const framed: Workflow = { ...FLOW, ui: { groups: [group] } };
  const { workflow } = paste(framed, null, copy(framed, null, [], { groups: ["g"] }), { at: [5, 6] });
  expect(workflow.ui?.groups).toEqual([group, { ...group, id: "g-2", position: [5, 6] }]);
});
