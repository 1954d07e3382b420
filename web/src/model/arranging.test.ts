import fc from "fast-check";
import { expect, test } from "vitest";
import { autoLayout } from "./arranging";
import { graphs } from "./arbitrary";
import { nodesOf, type Graph, type NodeEntry } from "./document";
import { addGroup, boxOf, groupsOf, guessSize, nodesInGroup, overlaps, type Box } from "./groups";

const at = (x: number, y: number, links: NodeEntry["links"] = {}): NodeEntry => ({
  type: "N",
  links,
  ui: { position: [x, y] },
});

/** Text to image, with the prompts in the wrong order in the file and on the canvas. */
const TEXT: Graph = {
  nodes: {
    negative: at(0, 0, { clip: ["load", "clip"] }),
    positive: at(0, 300, { clip: ["load", "clip"] }),
    latent: at(0, -300),
    sample: at(500, 0, {
      latent_image: ["latent", "latent"],
      negative: ["negative", "c"],
      positive: ["positive", "c"],
      model: ["load", "model"],
    }),
    load: at(-500, 0),
  },
};
const inputsOf = () => ["model", "positive", "negative", "latent_image"];

const boxesOf = (graph: Graph): Record<string, Box> =>
  Object.fromEntries(Object.entries(nodesOf(graph)).map(([id, node]) => [id, boxOf(id, node, guessSize)]));

const frameBox = ({ position: [x, y], size: [width, height] }: ReturnType<typeof groupsOf>[number]): Box => ({
  x,
  y,
  width,
  height,
});

test("sources stand in the order of the inputs that they feed", async () => {
  const { positive, negative, latent } = boxesOf(await autoLayout(TEXT, { inputsOf }));
  expect(positive?.y).toBeLessThan(negative?.y ?? 0);
  expect(negative?.y).toBeLessThan(latent?.y ?? 0);
});

test("a frame stays around what it held, and around nothing else", async () => {
  const framed = addGroup(TEXT, { id: "g", title: "Prompts" }, ["positive", "negative"]);
  const laid = await autoLayout(framed, { inputsOf });
  const [group] = groupsOf(laid);
  expect(group && nodesInGroup(laid, group).sort()).toEqual(["negative", "positive"]);
  const frame = group && frameBox(group);
  for (const [id, box] of Object.entries(boxesOf(laid)))
    if (!["positive", "negative"].includes(id)) expect(frame && overlaps(frame, box)).toBe(false);
});

test("frames in frames, and frames of anything, keep what they hold; nothing lies on anything", async () => {
  const cases = graphs.chain((graph) =>
    fc.tuple(fc.constant(graph), fc.subarray(Object.keys(nodesOf(graph)), { minLength: 1 })),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([graph, ids]) => {
      const placed = await autoLayout(graph); // so that frames hold just what is put into them, where they can
      const outer = addGroup(placed, { id: "outer", title: "" }, ids);
      const both = addGroup(outer, { id: "inner", title: "" }, ids.slice(0, 1));
      const held = groupsOf(both).map((group) => nodesInGroup(both, group).sort());
      const laid = await autoLayout(both);
      expect(groupsOf(laid).map((group) => nodesInGroup(laid, group).sort())).toEqual(held);
      const all = Object.values(boxesOf(laid));
      all.forEach((box, index) =>
        all.slice(index + 1).forEach((other) => expect(overlaps(box, other)).toBe(false)),
      );
    }),
    { numRuns: 30 },
  );
});
