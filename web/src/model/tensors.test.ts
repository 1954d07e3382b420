import { expect, test } from "vitest";
import { aspectOf, isFlat, itemsOf, looksOf, short, sizeOf, tensorOutputs, type Tensor } from "./tensors";

const tensor = (part: Partial<Tensor>): Tensor => ({
  kind: "latent",
  shape: [2, 4, 8, 16],
  dtype: "float32",
  not_finite: 0,
  min: -1,
  mean: 0,
  max: 1,
  std: 0.5,
  pictures: [],
  colours: [],
  false_colours: false,
  ...part,
});

test("sizes are told with the width first, of latents with their channels", () => {
  expect(sizeOf(tensor({}))).toBe("4×16×8");
  expect(sizeOf(tensor({ kind: "mask", shape: [1, 8, 16] }))).toBe("16×8");
  expect([tensor({}), tensor({ kind: "mask", shape: [3, 8, 16] })].map(aspectOf)).toEqual([2, 2]);
  expect(itemsOf(tensor({}))).toBe(2);
});

test("numbers are short, and what is not one is a dash", () => {
  expect([-3.14159, 0, 1234.5, null, 1e-9].map(short)).toEqual(["−3.14", "0", "1230", "–", "1e−9"]);
});

test("all the same is flat, unless some are no numbers", () => {
  expect(isFlat(tensor({ min: 0, max: 0 }))).toBe(true);
  expect(isFlat(tensor({}))).toBe(false);
  expect(isFlat(tensor({ min: 0, max: 0, not_finite: 1 }))).toBe(false);
});

test("latents and masks are looked at, and nothing else", () => {
  const outputs = ["Image", "Mask", "Latent", "Model"].map((type) => ({ name: type.toLowerCase(), type }));
  expect(tensorOutputs(outputs)).toEqual(["mask", "latent"]);
});

test("what a picture of it shows is told apart", () => {
  const latent = tensor({ colours: ["data:"] });
  expect(looksOf(latent)).toBe("colours");
  expect(looksOf({ ...latent, false_colours: true })).toBe("falseColours");
  expect(looksOf(latent, false)).toBe("channels");
  expect(looksOf(tensor({ kind: "mask" }))).toBe("mask");
});
