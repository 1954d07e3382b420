import { expect, test } from "vitest";
import type { TemplateView } from "@/api/library";
import { templateGroups } from "./templateList";

function template(name: string, valid = true, description = ""): TemplateView {
  return { name, title: name.replaceAll("_", " "), description, valid, issues: [], picture: null };
}

const ALL = [
  template("contact_sheet"),
  template("controlnet", false, "Follows the outlines of a picture"),
  template("hires_fix"),
  template("text_to_image"),
];
const names = (templates: readonly TemplateView[]) => templates.map(({ name }) => name);

test("what runs comes apart from what lacks a file, the simplest first", () => {
  const { ready, lacking } = templateGroups(ALL, "");
  expect(names(ready)).toEqual(["text_to_image", "hires_fix", "contact_sheet"]);
  expect(names(lacking)).toEqual(["controlnet"]);
});

test("every word is looked for, in titles and descriptions", () => {
  expect(names(templateGroups(ALL, "Picture outlines").lacking)).toEqual(["controlnet"]);
  expect(names(templateGroups(ALL, "picture sheet").lacking)).toEqual([]);
  expect(names(templateGroups(ALL, "sheet ").ready)).toEqual(["contact_sheet"]);
});
