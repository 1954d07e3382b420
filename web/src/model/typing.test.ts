import { expect, test } from "vitest";
import type { Graph, NodeEntry } from "./document";
import { Typing, type Signature } from "./typing";

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
