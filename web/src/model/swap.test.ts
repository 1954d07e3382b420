import { expect, test } from "vitest";
import type { Graph } from "./document";
import { swaps, swapType, type NewType } from "./swap";

const type = (id: string, inputs: Record<string, string>, outputs: Record<string, string>): NewType => ({
  id,
  version: 2,
  pack: "",
  inputs: Object.entries(inputs).map(([name, of]) => ({ name, type: of })),
  outputs: Object.entries(outputs).map(([name, of]) => ({ name, type: of })),
});
const TYPES = [
  type("Load", {}, { image: "Image", mask: "Mask" }),
  type("Blur", { image: "Image", radius: "int" }, { image: "Image" }),
  type("Sharpen", { pixels: "Image", radius: "int" }, { sharp: "Image" }),
  type("Encode", { image: "Image" }, { latent: "Latent" }),
  type("Number", { value: "int" }, { value: "int" }),
  type("Save", { images: "Image" }, {}),
];
const GRAPH: Graph = {
  nodes: {
    load: { type: "Load" },
    blur: {
      type: "Blur",
      version: 1,
      inputs: { radius: 3, gone: 1 },
      links: { image: ["load", "image"] },
      ui: { position: [1, 2] },
    },
    save: { type: "Save", links: { images: ["blur", "image"] } },
  },
};
const signatureOf = (_id: string, entry: { type: string }) => TYPES.find(({ id }) => id === entry.type);
const named = (id: string) => TYPES.find((one) => one.id === id) ?? type(id, {}, {});

test("wires move to sockets of another name but the same type, values to inputs of the same name", () => {
  const swapped = swapType(GRAPH, "blur", named("Sharpen"), signatureOf);
  expect(swapped.nodes?.["blur"]).toEqual({
    type: "Sharpen",
    version: 2,
    inputs: { radius: 3 },
    links: { pixels: ["load", "image"] },
    ui: { position: [1, 2] },
  });
  expect(swapped.nodes?.["save"]?.links).toEqual({ images: ["blur", "sharp"] });
});

test("a wire that no longer fits is pulled", () => {
  const swapped = swapType(GRAPH, "blur", named("Encode"), signatureOf);
  expect(swapped.nodes?.["blur"]?.links).toEqual({ image: ["load", "image"] });
  expect(swapped.nodes?.["save"]).toEqual({ type: "Save" });
});

test("what takes the place of a node comes with the wires that would go, fewest first", () => {
  const found = swaps(GRAPH, "blur", TYPES, signatureOf);
  expect(found[0]?.type.id).toBe("Sharpen");
  const counts = found.map(({ dropped }) => dropped.length);
  expect(counts).toEqual([...counts].sort((one, other) => one - other));
  expect(found.map(({ type }) => type.id)).not.toContain("Blur");
  for (const { type, dropped } of found) {
    const after = swapType(GRAPH, "blur", type, signatureOf);
    const wires = (graph: Graph) =>
      Object.values(graph.nodes ?? {}).reduce((sum, node) => sum + Object.keys(node.links ?? {}).length, 0);
    expect(wires(GRAPH) - wires(after)).toBe(dropped.length);
  }
});
