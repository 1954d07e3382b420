import { expect, test } from "vitest";
import { everydayFirst } from "./everyday";

test("everyday categories come first and advanced ones last; in each, what is used most", () => {
  const type = (title: string, category: string, uses = 0) => ({
    title,
    category,
    examples: Array.from({ length: uses }, String),
  });
  const types = [
    type("Tune", "model/advanced"),
    type("Blur", "image/transform"),
    type("Curve", "charts"),
    type("Sampler Custom", "sampling"),
    type("KSampler", "sampling", 9),
    type("Load Checkpoint", "loaders", 20),
    type("Load Image", "image"),
  ];
  expect(everydayFirst(types).map(({ title }) => title)).toEqual([
    "Load Checkpoint",
    "KSampler",
    "Sampler Custom",
    "Load Image",
    "Blur",
    "Curve",
    "Tune",
  ]);
});
