import { describe, expect, it } from "vitest";
import type { Issue } from "@/state/check";
import { farMark, severities } from "./farMarks";

const issue = (node: string, severity: Issue["severity"]): Issue => ({
  node,
  severity,
  input: null,
  given: null,
  expected: null,
  related: [],
  code: "value",
  message: "",
  suggestions: [],
  remedy: {},
});

describe("a card seen from afar", () => {
  it("tells what runs, how far, and what came of it", () => {
    expect(farMark({ status: "running", value: 1, total: 4 }, undefined).foot?.share).toBe(0.25);
    const ran = farMark({ status: "done", origin: "run" }, undefined);
    const cached = farMark({ status: "done", origin: "disk" }, undefined);
    const failed = farMark({ status: "failed" }, undefined);
    expect(new Set([ran.foot?.colour, cached.foot?.colour, failed.foot?.colour]).size).toBe(3);
    expect(failed.outline).toBeDefined();
    expect(farMark(undefined, undefined)).toEqual({});
  });

  it("has a corner where something is wrong, whatever the run gave", () => {
    expect(farMark({ status: "done", origin: "run" }, "error").corner).toBe("var(--danger)");
    expect(farMark(undefined, "warning").corner).toBe("var(--warning)");
  });

  it("tells the worst of itself and of what is inside it", () => {
    const issues = [issue("a/deep", "error"), issue("a", "warning"), issue("b", "warning")];
    expect(severities(issues, "")).toEqual(
      new Map([
        ["a", "error"],
        ["b", "warning"],
      ]),
    );
    expect(severities(issues, "a/")).toEqual(new Map([["deep", "error"]]));
  });
});
