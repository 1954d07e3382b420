import { expect, test } from "vitest";
import { bestSocket, rankFitting, type Candidate, type LooseEnd } from "./fitting";

const socket = (type: string, required = true) => ({ name: type, type, required });
const many = ["one", "two", "three"];

function candidate(title: string, fields: Partial<Candidate>): Candidate {
  return { title, category: "", terminal: false, examples: [], inputs: [], outputs: [], ...fields };
}

const TYPES: readonly Candidate[] = [
  candidate("Add", { inputs: [socket("float")], outputs: [socket("float")] }),
  candidate("Blend", { category: "image", inputs: [socket("Image"), socket("Image")] }),
  candidate("Condition", { inputs: [socket("Prompt"), socket("Image", false)] }),
  candidate("Encode", { category: "latent", examples: many, inputs: [socket("Image"), socket("Vae")] }),
  candidate("Gather", { inputs: [socket("list[Image]")] }),
  candidate("Identity", { examples: many, inputs: [socket("T")], outputs: [socket("T")] }),
  candidate("Load", { outputs: [socket("Image"), socket("Mask")] }),
  candidate("Mask of", { inputs: [socket("Image | Mask")], outputs: [socket("Mask")] }),
  candidate("Preview", { terminal: true, inputs: [socket("Image")] }),
  candidate("Print", { terminal: true, inputs: [socket("Any")] }),
  candidate("Save", { terminal: true, examples: many, inputs: [socket("Image")] }),
];
const titles = (end: Partial<LooseEnd>) =>
  rankFitting(TYPES, { side: "output", type: "Image", category: "image", ...end }, {}).map(
    ({ title }) => title,
  );

test("what an output is likely wired to comes first, what takes anything last", () => {
  expect(titles({})).toEqual([
    "Save", // a run ends in it, and many use it
    "Preview",
    "Encode", // many use it
    "Blend", // of the same category
    "Gather",
    "Mask of", // takes other things, too
    "Condition", // can do without
    "Print",
    "Identity",
  ]);
});

test("for an input, what gives it first comes first", () => {
  expect(titles({ side: "input", type: "Mask" })).toEqual(["Mask of", "Load", "Identity"]);
});

test("what fits nothing is not there", () => {
  expect(titles({ type: "Vae" })).not.toContain("Save");
});

test("the socket of just the type is taken before one that takes anything", () => {
  const switched = { inputs: [socket("Any"), socket("float"), socket("int")], outputs: [] };
  expect(bestSocket({ side: "output", type: "int" }, switched, {})?.type).toBe("int");
  expect(bestSocket({ side: "output", type: "bool" }, switched, {})?.type).toBe("Any");
});
