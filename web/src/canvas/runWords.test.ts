import { expect, test } from "vitest";
import { wordsOfRun } from "./runWords";

test("a node that was cancelled is told to be so, unless its result is there after all", () => {
  expect(wordsOfRun({ status: "cancelled" }, "run")).toBe("cancelled");
  expect(wordsOfRun({ status: "cancelled" }, undefined)).toBe("cancelled");
  expect(wordsOfRun({ status: "cancelled" }, "memory")).toBeUndefined();
});

test("one that is done tells where its result came from, or how long it took", () => {
  expect(wordsOfRun({ status: "done", origin: "memory", seconds: 0 }, "memory")).toBe("from memory");
  expect(wordsOfRun({ status: "done", origin: "run", seconds: 0.3 }, "memory")).toBe("300 ms");
  expect(wordsOfRun({ status: "running" }, "run")).toBeUndefined();
});
