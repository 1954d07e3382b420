/** Random graphs for property tests. */
import fc from "fast-check";
import type { Graph, Links, NodeEntry, Workflow } from "./document";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "constructor", "7", "__proto__"];

interface Sketch {
  readonly sources: readonly (readonly [from: number, output: string, input: string])[];
  readonly seed: number;
  readonly x: number;
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  sources: fc.array(
    fc.tuple(fc.nat(20), fc.constantFrom("image", "latent"), fc.constantFrom("x", "y", "z")),
    { maxLength: 4 },
  ),
  seed: fc.nat(1000),
  x: fc.integer({ min: -500, max: 500 }),
});

function entryOf({ sources, seed, x }: Sketch, index: number): NodeEntry {
  const links: Record<string, Links> = {};
  for (const [from, output, input] of index > 0 ? sources : [])
    links[input] = [NAMES[from % index] ?? "a", output];
  const wired = Object.keys(links).length > 0 ? { links } : {};
  return { type: "Mix", version: 1, inputs: { seed }, ...wired, ui: { position: [x, index * 100] } };
}

/** Graphs without circles: a node takes only from those before it. */
export const graphs: fc.Arbitrary<Graph & { nodes: Record<string, NodeEntry> }> = fc
  .array(sketch, { minLength: 1, maxLength: NAMES.length })
  .map((sketches) => ({
    nodes: Object.fromEntries(sketches.map((one, index) => [NAMES[index] ?? "a", entryOf(one, index)])),
  }));

export const workflows: fc.Arbitrary<Workflow & { nodes: Record<string, NodeEntry> }> = graphs.map(
  (graph) => ({
    format: "nodegraph",
    version: 1,
    ...graph,
  }),
);

/** Some of the node ids of a graph. */
export function someOf(graph: Graph): fc.Arbitrary<string[]> {
  return fc.subarray(Object.keys(graph.nodes ?? {}));
}
