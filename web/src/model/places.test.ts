import { expect, test } from "vitest";
import type { BodyInputs } from "./bodies";
import type { Workflow } from "./document";
import { placeOf } from "./places";

const FLOW: Workflow = {
  format: "nodegraph",
  nodes: {
    up: { type: "subgraph/S" },
    "a/b": { type: "Odd" },
    loop: { type: "Repeat", inputs: { body: "B" } },
  },
  subgraphs: {
    S: { nodes: { in: { type: "subgraph/T" }, x: { type: "X" }, "x-2": { type: "X" } } },
    T: { nodes: { deep: { type: "D" } } },
    B: {
      nodes: {
        x: { type: "X" },
        "x-2": { type: "X" },
        part: { type: "subgraph/T" },
        again: { type: "Repeat", inputs: { body: "T" } },
      },
    },
  },
};
const bodyInputs: BodyInputs = (type) => (type === "Repeat" ? ["body"] : []);
const whereIs = (id: string, numbered = false) => {
  const place = placeOf(FLOW, id, { bodyInputs, numbered });
  return place && { ...place, path: place.path.map(({ prefix }) => prefix) };
};

test("a node is found by its id, through subgraphs and despite odd ids", () => {
  expect(placeOf(FLOW, "up")).toEqual({ scope: null, id: "up", path: [] });
  expect(placeOf(FLOW, "up/in/deep")).toEqual({
    scope: "T",
    id: "deep",
    path: [
      { scope: "S", prefix: "up/" },
      { scope: "T", prefix: "up/in/" },
    ],
  });
  expect(placeOf(FLOW, "a/b")).toEqual({ scope: null, id: "a/b", path: [] });
  expect(placeOf(FLOW, "up/none")).toBeUndefined();
});

test("issues name nodes in the body of a loop without a number", () => {
  expect(whereIs("loop/x-2")).toEqual({ scope: "B", id: "x-2", path: ["loop/"] });
  expect(whereIs("loop/again/deep")).toEqual({ scope: "T", id: "deep", path: ["loop/", "loop/again/"] });
  expect(placeOf(FLOW, "loop/x")).toBeUndefined();
});

test.each([
  ["up/x-2", { scope: "S", id: "x-2", path: ["up/"] }],
  ["loop/x-2", { scope: "B", id: "x", path: ["loop/"], iteration: { number: 2, loop: "loop" } }],
  ["loop/x-2-3", { scope: "B", id: "x-2", path: ["loop/"], iteration: { number: 3, loop: "loop" } }],
  [
    "loop/part/deep-3",
    { scope: "T", id: "deep", path: ["loop/", "loop/part/"], iteration: { number: 3, loop: "loop" } },
  ],
  [
    "loop/again-2/deep-5",
    {
      scope: "T",
      id: "deep",
      path: ["loop/", "loop/again/"],
      iteration: { number: 5, loop: "loop/again-2" },
    },
  ],
  ["loop/x", undefined],
])("a run calls a node %s", (id, place) => expect(whereIs(id, true)).toEqual(place));
