import fc from "fast-check";
import { expect, test } from "vitest";
import { workflows } from "./arbitrary";
import type { GraphUi, NodeUi, Workflow } from "./document";
import { writeJson } from "./json";
import { BadDocument, readText, readWorkflow } from "./reading";

const one = (ui: unknown, canvas: unknown = {}) => ({
  format: "nodegraph",
  nodes: { a: { type: "Integer", ui } },
  ui: canvas,
});
const uiOf = (workflow: Workflow): NodeUi => workflow.nodes?.["a"]?.ui ?? {};

test("a sound workflow is the same object, whatever else it holds", () => {
  fc.assert(fc.property(workflows, (workflow) => readWorkflow(workflow).workflow === workflow));
  const framed = one(
    { position: [1, 2], size: [200, 0], sockets: ["x"], via: { x: "r" }, odd: 5, collapsed: true },
    {
      groups: [{ id: "g", title: "", position: [0, 0], size: [9, 9], more: null }],
      reroutes: { r: { position: [1, 1], source: ["a", "value"] } },
      viewport: { x: 0, y: 0, zoom: 1 },
      notes: [{ text: "kept" }],
    },
  );
  expect(readWorkflow(framed)).toEqual({ workflow: framed, dropped: [] });
  expect(readWorkflow(framed).workflow).toBe(framed);
});

test.each([
  ["title", { x: 1 }],
  ["title", null],
  ["color", 5],
  ["collapsed", "x"],
  ["sockets", 5],
  ["sockets", [1]],
  ["via", 5],
  ["via", { x: 1 }],
  ["position", "x"],
  ["position", [1]],
  ["position", null],
  ["position", [1e308, -1e308]],
  ["size", "x"],
  ["size", [1e9, -5]],
])("ui.%s as %j is left out and named, and what else the node has stays", (key, value) => {
  const { workflow, dropped } = readWorkflow(one({ [key]: value, other: 1 }));
  expect(uiOf(workflow)).toEqual({ other: 1 });
  expect(dropped).toHaveLength(1);
  expect(dropped[0]).toMatch(new RegExp(`^nodes\\.a\\.ui\\.${key}: must be`));
});

const ROOM = { position: [0, 0], size: [9, 9] };

test.each([
  [{ groups: { x: 1 } }, {}, "ui.groups: must be a list of groups, not an object"],
  [{ groups: [null] }, { groups: [] }, "ui.groups[0]: must be an object, not null"],
  [
    { groups: [{ ...ROOM, id: "g", title: "", size: null }] },
    { groups: [] },
    "ui.groups[0].size: must be two",
  ],
  [{ groups: [{ id: "g", title: "", size: [9, 9] }] }, { groups: [] }, "ui.groups[0].position: is missing"],
  [
    { groups: [{ ...ROOM, id: 1, title: { a: 1 } }] },
    { groups: [{ ...ROOM, id: "frame", title: "" }] },
    "ui.groups[0].id",
  ],
  [{ reroutes: { r: null } }, { reroutes: {} }, "ui.reroutes.r: must be an object, not null"],
  [
    { reroutes: { r: { position: "x", source: ["a", "b"] } } },
    { reroutes: {} },
    "ui.reroutes.r.position: must be",
  ],
  [{ viewport: { x: "a", y: null, zoom: 0 } }, {}, "ui.viewport: must be an object of three numbers"],
])("of the canvas %j there stays %j", (given, kept, told) => {
  const { workflow, dropped } = readWorkflow(one({}, given));
  expect(workflow.ui).toEqual(kept);
  expect(dropped[0]).toContain(told);
});

test("two frames of one name get names of their own", () => {
  const { workflow, dropped } = readWorkflow(one({}, { groups: [ROOM, { ...ROOM, id: "frame" }] }));
  expect(workflow.ui?.groups?.map(({ id }) => id)).toEqual(["frame", "frame-2"]);
  expect(dropped).toEqual([]);
});

test("what is inside subgraphs is looked at as well", () => {
  const inside = { ...one({}), subgraphs: { s: { nodes: { b: { type: "B", ui: { title: [] } } } } } };
  const { workflow, dropped } = readWorkflow(inside);
  expect(workflow.subgraphs?.["s"]?.nodes?.["b"]?.ui).toEqual({});
  expect(dropped).toEqual(["subgraphs.s.nodes.b.ui.title: must be text, not []"]);
});

const node = (fields: object) => ({ format: "nodegraph", nodes: { a: { type: "Integer", ...fields } } });

test.each([
  [null, "a workflow is a JSON object, not null"],
  [[1], "a workflow is a JSON object, not [1]"],
  [{}, "format: is missing"],
  [{ format: "other" }, 'format: must be "nodegraph", not "other"'],
  [{ format: "nodegraph", nodes: [] }, "nodes: must be an object, not []"],
  [{ format: "nodegraph", nodes: { a: {} } }, "nodes.a.type: is missing"],
  [{ format: "nodegraph", name: { a: 1 } }, "name: must be text, not an object"],
  [node({ links: null }), "nodes.a.links: must be an object, not null"],
  [node({ links: { value: 5 } }), "nodes.a.links.value: must be a link"],
  [node({ links: { value: [null] } }), "nodes.a.links.value: must be a link"],
  [node({ inputs: [1] }), "nodes.a.inputs: must be an object, not [1]"],
  [node({ mode: {} }), 'nodes.a.mode: must be "muted"'],
  [node({ ui: 5 }), "nodes.a.ui: must be an object, not 5"],
  [{ format: "nodegraph", subgraphs: { s: null } }, "subgraphs.s: must be an object, not null"],
  [{ format: "nodegraph", subgraphs: { s: { inputs: { x: 3 } } } }, "subgraphs.s.inputs.x: must be a list"],
])("%j is refused with its place", (given, told) => {
  expect(() => readWorkflow(given)).toThrow(BadDocument);
  expect(() => readWorkflow(given)).toThrow(told);
});

test("text that is no JSON, or nested too deep to be read, is refused in words", () => {
  for (const text of ["", "{garb", "[".repeat(20_000) + "]".repeat(20_000), '{"a":NaN}', '{"a":1,"a":2}'])
    expect(() => readText(text)).toThrow(BadDocument);
});

test("whatever stands where the editor keeps its own, what comes in can be drawn", () => {
  const isSoundNode = ({ title = "", position = [0, 0], sockets = [] }: NodeUi) =>
    typeof title === "string" && position.every(Number.isFinite) && Array.isArray(sockets);
  const isSoundCanvas = ({ groups = [], reroutes = {} }: GraphUi) =>
    groups.every(({ id, title, size: [width] }) => id + title !== "" && width > 0) &&
    Object.values(reroutes).every(({ source, position }) => source.length + position.length === 4);
  const keys = ["title", "position", "size", "groups", "reroutes", "via", "sockets"];
  const ui = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue());
  fc.assert(
    fc.property(ui, ui, (given, canvas) => {
      const { workflow } = readText(writeJson(one(given, canvas)));
      return isSoundNode(uiOf(workflow)) && isSoundCanvas(workflow.ui ?? {});
    }),
  );
});
