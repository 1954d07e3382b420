import { expect, test } from "vitest";
import { lineOf } from "./log";

test("an event is one line: what, which job and node, how it went", () => {
  const event = {
    type: "node_finished",
    job: "0123456789",
    node: "save",
    origin: "disk",
    seconds: 1,
    time: 2,
  };
  expect(lineOf(event, 1)).toEqual({
    id: 1,
    time: 2000,
    text: "node finished · 01234567 · save · disk · 1.0 s",
    problem: false,
  });
});

test("failures and gaps are problems", () => {
  expect(lineOf({ type: "node_failed", message: "no room" }, 1)).toMatchObject({ problem: true });
  expect(lineOf({ type: "job_finished", state: "failed", error: { message: "why" } }, 1).text).toContain(
    "why",
  );
  expect(lineOf({ type: "gap" }, 1).problem).toBe(true);
});
