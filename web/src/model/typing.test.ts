import { expect, test } from "vitest";
import type { Graph, NodeEntry, SubgraphEntry } from "./document";
import { Insides, Typing, type Signature } from "./typing";

const TYPES: Record<string, Signature> = {
  Load: { inputs: [], outputs: [{ name: "image", type: "Image" }] },
  Many: { inputs: [], outputs: [{ name: "images", type: "list[Image]" }] },
  Blur: { inputs: [{ name: "image", type: "Image" }], outputs: [{ name: "image", type: "Image" }] },
  Switch: {
    inputs: [
      { name: "on_true", type: "T" },
      { name: "on_false", type: "T" },
    ],
    outputs: [{ name: "value", type: "T" }],
  },
  Sheet: { inputs: [{ name: "images", type: "list[Image]" }], outputs: [{ name: "image", type: "Image" }] },
  Encode: { inputs: [{ name: "pixels", type: "Image" }], outputs: [{ name: "latent", type: "Latent" }] },
};
const LOOPS: Record<string, Signature> = {
  Identity: { inputs: [{ name: "value", type: "T" }], outputs: [{ name: "value", type: "T" }] },
  Repeat: {
    inputs: [
      {
        name: "body",
        type: "Body",
        body: { takes: { value: "T" }, mayTake: { index: "int" }, gives: { result: "T" } },
      },
      { name: "value", type: "T" },
    ],
    outputs: [{ name: "value", type: "T" }],
  },
  ForEach: {
    inputs: [
      {
        name: "body",
        type: "Body",
        body: { takes: { item: "T" }, mayTake: { index: "int" }, gives: { result: "U" } },
      },
      { name: "items", type: "list[T]" },
    ],
    outputs: [{ name: "results", type: "list[U]" }],
  },
  "subgraph/pass": { inputs: [{ name: "in", type: "T" }], outputs: [{ name: "out", type: "T" }] },
};
const ALL = { ...TYPES, ...LOOPS };

function around(nodes: Record<string, NodeEntry>, subgraphs: Record<string, SubgraphEntry>): Typing {
  const signatureOf = (_id: string, entry: NodeEntry) => ALL[entry.type];
  const insides = new Insides((name) => {
    const graph = subgraphs[name];
    return graph && { graph, signatureOf };
  });
  return new Typing({ nodes }, signatureOf, {}, { insides });
}

/** Something passes by `begin`, maybe through what is in between. */
const PASS: SubgraphEntry = {
  inputs: { in: [["begin", "value"]] },
  outputs: { out: ["begin", "value"] },
  nodes: { begin: { type: "Identity" } },
};
const ENCODES: SubgraphEntry = {
  inputs: { in: [["begin", "value"]] },
  outputs: { out: ["encode", "latent"] },
  nodes: {
    begin: { type: "Identity" },
    encode: { type: "Encode", links: { pixels: ["begin", "value"] } },
  },
};

const typing = (nodes: Record<string, NodeEntry>): Typing =>
  new Typing({ nodes } satisfies Graph, (_id, entry) => TYPES[entry.type]);

test("a generic output has the type of what is wired in", () => {
  const types = typing({
    load: { type: "Load" },
    pick: { type: "Switch", links: { on_true: ["load", "image"] } },
    free: { type: "Switch" },
  });
  expect(types.output(["pick", "value"]).name).toBe("Image");
  expect(types.output(["free", "value"]).name).toBe("Any");
});

test("a node over a list gives lists, and so does what follows", () => {
  const types = typing({
    many: { type: "Many" },
    blur: { type: "Blur", links: { image: ["many", "images"] } },
    encode: { type: "Encode", links: { pixels: ["blur", "image"] } },
    sheet: { type: "Sheet", links: { images: ["blur", "image"] } },
  });
  expect(types.output(["encode", "latent"]).name).toBe("list[Latent]");
  expect(types.output(["sheet", "image"]).name).toBe("Image");
});

test("wires are refused with the reason", () => {
  const types = typing({
    load: { type: "Load" },
    encode: { type: "Encode", links: { pixels: ["blur", "image"] } },
    blur: { type: "Blur" },
    sheet: { type: "Sheet" },
  });
  expect(types.refusal(["encode", "latent"], "blur", "image")).toMatchObject({ reason: "cycle" });
  expect(types.refusal(["blur", "image"], "blur", "image")).toMatchObject({ reason: "self" });
  expect(types.refusal(["encode", "latent"], "sheet", "images")).toMatchObject({
    reason: "otherType",
    given: "Latent",
    wanted: "list[Image]",
  });
  expect(types.refusal(["load", "image"], "sheet", "images")).toBeUndefined();
});

test("unknown nodes and circles are Any, and end", () => {
  const types = typing({
    lost: { type: "Missing" },
    a: { type: "Switch", links: { on_true: ["b", "value"] } },
    b: { type: "Switch", links: { on_true: ["a", "value"] } },
  });
  expect(types.output(["lost", "x"]).name).toBe("Any");
  expect(types.output(["a", "value"]).name).toBe("Any");
});

test("what a loop is given is what its body has, and the body decides what comes out", () => {
  const types = around(
    {
      load: { type: "Load" },
      many: { type: "Many" },
      again: { type: "Repeat", inputs: { body: "pass" }, links: { value: ["load", "image"] } },
      each: { type: "ForEach", inputs: { body: "encodes" }, links: { items: ["many", "images"] } },
    },
    { pass: PASS, encodes: ENCODES },
  );
  expect(types.output(["again", "value"]).name).toBe("Image");
  expect(types.output(["each", "results"]).name).toBe("list[Latent]");
  const inside = types.inside("again", "pass");
  expect(inside?.output(["begin", "value"]).name).toBe("Image");
  expect(inside?.shownInput("begin", "value").name).toBe("Image");
  expect(types.inside("each", "encodes")?.output(["begin", "value"]).name).toBe("Image");
});

test("what nothing is given to has the type of what it is wired to inside", () => {
  const nodes = {
    encode: { type: "Encode" },
    again: { type: "Repeat", inputs: { body: "encodes" } },
    each: { type: "ForEach", inputs: { body: "encodes" } },
  };
  const types = around(nodes, { encodes: ENCODES });
  expect(types.wanted("again", "value").name).toBe("Image");
  expect(types.wanted("each", "items").name).toBe("list[Image]");
  expect(types.refusal(["encode", "latent"], "again", "value")).toEqual({
    reason: "otherType",
    given: "Latent",
    wanted: "Image",
  });
  const inside = types.inside("each", "encodes");
  expect(inside?.shownInput("begin", "value").name).toBe("Image");
  expect(inside?.shownOutput(["begin", "value"]).name).toBe("Image");
  expect(inside?.output(["begin", "value"]).name).toBe("Any"); // it may still be wired to something else
});

test("a subgraph hands on what it is given, each use its own", () => {
  const types = around(
    {
      load: { type: "Load" },
      encode: { type: "Encode", links: { pixels: ["load", "image"] } },
      one: { type: "subgraph/pass", links: { in: ["load", "image"] } },
      other: { type: "subgraph/pass", links: { in: ["encode", "latent"] } },
      five: { type: "subgraph/pass", inputs: { in: 5 } },
    },
    { pass: PASS },
  );
  expect(["one", "other", "five"].map((id) => types.output([id, "out"]).name)).toEqual([
    "Image",
    "Latent",
    "int",
  ]);
  expect(types.inside("other", "pass")?.shownInput("begin", "value").name).toBe("Latent");
});

test("what goes round changes its type once, or is anything; a body that holds itself ends", () => {
  const types = around(
    {
      load: { type: "Load" },
      again: { type: "Repeat", inputs: { body: "encodes" }, links: { value: ["load", "image"] } },
      self: { type: "Repeat", inputs: { body: "self" }, links: { value: ["load", "image"] } },
    },
    {
      encodes: ENCODES,
      self: {
        inputs: { value: [["inner", "value"]] },
        outputs: { value: ["inner", "value"] },
        nodes: { inner: { type: "Repeat", inputs: { body: "self" } } },
      },
    },
  );
  expect(types.output(["again", "value"]).name).toBe("Image | Latent");
  expect(types.output(["self", "value"]).name).toBe("Image");
});
