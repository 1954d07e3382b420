import { expect, test } from "vitest";
import { rank } from "./search";

const entry = (id: string, category: string, description = "", title = id) => ({
  id,
  category,
  description,
  title,
});
const NODES = [
  entry("KSampler", "sampling", "Denoise latents."),
  entry("VAEDecode", "latent", "From latents to a picture."),
  entry("EmptyLatentImage", "latent", "Empty latents."),
  entry("SaveImage", "image/files", "Write pictures."),
  entry("ImageBlur", "image/transform", "Soften a picture; a sampler of pixels.", "Blur image"),
];
const ids = (words: string) => rank(NODES, words).map(({ id }) => id);

test("names come before categories, and those before words of the documentation", () => {
  expect(ids("sampler")).toEqual(["KSampler", "ImageBlur"]);
  expect(ids("latent")[0]).toBe("EmptyLatentImage");
  expect(ids("latent")).toContain("KSampler");
});

test("a slip, initials, words in another order and the shown title are found", () => {
  expect(ids("ksampelr")[0] ?? ids("ksmpler")[0]).toBe("KSampler");
  expect(ids("vd")).toContain("VAEDecode");
  expect(ids("image save")[0]).toBe("SaveImage");
  expect(ids("blur image")[0]).toBe("ImageBlur");
});

test("a node is found by its title and by the name it has in files", () => {
  const nodes = [
    ...NODES,
    entry("ImageToMask", "mask", "", "Image to Mask"),
    entry("Tile", "mask", "An image to mask."),
  ];
  for (const words of ["ImageToMask", "imagetomask", "Image to Mask", "image mask", "to mask"])
    expect(rank(nodes, words)[0]?.id).toBe("ImageToMask");
});

test("an equal name is first; no words give everything; nonsense gives nothing", () => {
  expect(ids("saveimage")[0]).toBe("SaveImage");
  expect(ids(" ")).toHaveLength(NODES.length);
  expect(ids("zzzqqq")).toEqual([]);
});

test("names of sockets, words of the trade and what templates use most lead to the usual nodes", () => {
  const sampler = { ...entry("KSampler", "sampling"), examples: ["a", "b", "c"] };
  const nodes = [
    { ...entry("SamplerCustom", "sampling"), examples: [] },
    sampler,
    { ...entry("CheckpointLoaderSimple", "loaders"), inputs: [{ name: "ckpt_name" }], outputs: [] },
    { ...entry("Merge", "models"), inputs: [{ name: "ckpt_name" }], outputs: [{ name: "mixture" }] },
    entry("CLIPTextEncode", "conditioning", "A prompt."),
    entry("PromptScheduler", "conditioning", "More prompts."),
  ];
  const first = (words: string) => rank(nodes, words)[0]?.id;
  expect(first("sampler")).toBe("KSampler");
  expect(first("txt2img")).toBe("KSampler");
  expect(first("prompt")).toBe("CLIPTextEncode");
  expect(rank(nodes, "ckpt").map(({ id }) => id)).toEqual(["CheckpointLoaderSimple", "Merge"]);
  expect(first("mixture")).toBe("Merge");
});
