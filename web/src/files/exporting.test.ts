import { expect, test } from "vitest";
import { fileStem } from "./exporting";

test.each([
  ["Text to image", "text_to_image"],
  ["Käse / ../../etc", "käse_etc"],
  ["<script>", "script"],
  ["  ", "workflow"],
  [undefined, "workflow"],
] as const)("%s is kept as %s", (name, stem) => {
  expect(fileStem(name)).toBe(stem);
});
