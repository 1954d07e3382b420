import { expect, test } from "vitest";
import type { Workflow } from "@/model/document";
import { openWorkflow, useDocuments } from "./documents";
import { tabNames } from "./tabNames";

const named = (name: string): Workflow => ({ format: "nodegraph", name, nodes: {} });

test("a tab is called as it was saved, whatever name is inside; folders tell two of a name apart", () => {
  openWorkflow(named("Text to image"), "cats/sleeping");
  openWorkflow(named("Text to image"), "cats/draft");
  openWorkflow(named("Text to image"), "dogs/draft");
  openWorkflow(named("Text to image"));
  openWorkflow(named(""));
  const names = tabNames(useDocuments.getState().tabs);
  expect(names).toEqual(["sleeping", "cats/draft", "dogs/draft", "Text to image", "Untitled"]);
});
