import { expect, test } from "vitest";
import { isSweep, valuesOf } from "./sweeps";

const axis = { node: "s", input: "cfg", text: "1..3" };
const cell = { job: "j", overrides: { "s.cfg": 1 }, place: [0] };

test("a sweep that was kept is one, a damaged one is not", () => {
  expect(isSweep({ axes: [axis, null], queued: [cell] })).toBe(true);
  const damaged = [null, {}, { axes: [axis], queued: [] }, { axes: [5, null], queued: [] }];
  const cells = [
    { ...cell, place: ["x"] },
    { ...cell, job: 1 },
    { ...cell, overrides: null },
  ];
  expect(damaged.some(isSweep)).toBe(false);
  expect(cells.some((one) => isSweep({ axes: [axis, null], queued: [one] }))).toBe(false);
});

test("a cell is told by the names and values that it differs in", () => {
  expect(valuesOf({ "sampler.cfg": 7, "sampler.name": "euler" })).toBe("sampler.cfg 7 · sampler.name euler");
});
