import { expect, test } from "vitest";
import type { NodeEntry, Workflow } from "./document";
import { meaningOf } from "./meaning";
import { withOverrides } from "./sweep";

const flow = (nodes: Record<string, NodeEntry>, more: Partial<Workflow> = {}): Workflow => ({
  format: "nodegraph",
  nodes,
  ...more,
});
const a: NodeEntry = { type: "A", inputs: { n: 1, m: 2 } };
const b: NodeEntry = { type: "B", links: { in: ["a", "out"] } };

test("what is before a node counts, and neither its place nor what is after it does", () => {
  const before = meaningOf(flow({ a, b }), "b");
  expect(meaningOf(flow({ b: { ...b, ui: { position: [1, 2] } }, a }), "b")).toBe(before);
  expect(meaningOf(flow({ a: { type: "A", inputs: { m: 2, n: 1 } }, b, c: a }), "b")).toBe(before);
  expect(meaningOf(flow({ a: { ...a, inputs: { n: 1, m: 3 } }, b }), "b")).not.toBe(before);
  expect(meaningOf(flow({ b }), "b")).not.toBe(before);
});

test("a variant means what the workflow means with those values", () => {
  const changed = withOverrides(flow({ a, b }), { "a.n": 5 });
  expect(meaningOf(changed, "b")).toBe(meaningOf(flow({ a: { ...a, inputs: { m: 2, n: 5 } }, b }), "b"));
});

test("what is inside a subgraph counts for the node that stands for it, and for those inside", () => {
  const outer: NodeEntry = { type: "subgraph/S" };
  const [one, other] = [1, 2].map((n) =>
    flow({ outer }, { subgraphs: { S: { nodes: { x: { type: "X", inputs: { n } } } } } }),
  );
  expect(meaningOf(one as Workflow, "outer/x")).not.toBe(meaningOf(other as Workflow, "outer/x"));
});

test("long chains and cycles come to an end", () => {
  const entries = Array.from({ length: 20_000 }, (_, index): [string, NodeEntry] => [
    `n${index}`,
    { type: "A", ...(index > 0 && { links: { in: [`n${index - 1}`, "out"] } }) },
  ]);
  expect(meaningOf(flow(Object.fromEntries(entries)), "n19999")).toBeGreaterThan(0);
  const cycle = flow({ a: { type: "A", links: { in: ["b", "out"] } }, b });
  expect(meaningOf(cycle, "a")).toBeGreaterThan(0);
  expect(meaningOf(cycle, "gone")).toBe(0);
});
