import { expect, test } from "vitest";
import { NO_BODIES } from "./bodies";
import type { Workflow } from "./document";
import { remedied, remedyText } from "./remedy";

const flow: Workflow = {
  format: "nodegraph",
  nodes: { "a.b": { type: "Latent", inputs: { width: 512 } }, part: { type: "subgraph/Part" } },
  subgraphs: { Part: { nodes: { inner: { type: "Latent" } } } },
};

test("a remedy sets inputs of nodes, also inside subgraphs", () => {
  const mended = remedied(flow, { "a.b.width": 128, "part/inner.height": 64 }, NO_BODIES);
  expect(mended.nodes?.["a.b"]?.inputs).toEqual({ width: 128 });
  expect(mended.subgraphs?.["Part"]?.nodes?.["inner"]?.inputs).toEqual({ height: 64 });
  expect(remedied(flow, { "gone.width": 1 }, NO_BODIES)).toBe(flow);
});

test("it is told in short", () => {
  expect(remedyText({ "a.b.width": 128, "a.b.height": 128 })).toBe("width 128, height 128");
});
