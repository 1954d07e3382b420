import { expect, test } from "vitest";
import { en } from "./en";
import { files } from "./files";
import { panels } from "./panels";

test("no text takes the place of another of the same key", () => {
  for (const part of [files, panels])
    for (const [key, text] of Object.entries(part))
      expect([key, (en as Record<string, string>)[key]]).toEqual([key, text]);
  const shared = Object.keys(files).filter((key) => key in panels);
  expect(shared).toEqual([]);
});
