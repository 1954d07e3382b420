/** Workflows kept on the server, and those to start from. */
import type { Workflow } from "@/model/document";
import { exactJson, fileText, json, send } from "./http";
import type { components } from "./types";

type Schemas = components["schemas"];
export type SavedView = Schemas["SavedView"];
export type TemplateView = Schemas["TemplateView"];

const address = (path: string): string => `/workflows/${path.split("/").map(encodeURIComponent).join("/")}`;

export async function listSaved(): Promise<readonly SavedView[]> {
  return (await json<Schemas["SavedListView"]>("/workflows")).workflows;
}

/** The text of a saved workflow as its file has it, with the tag that saving it again must name. */
export async function readSaved(path: string): Promise<{ text: string; etag: string }> {
  const answer = await send(address(path));
  return { text: await fileText(answer), etag: tagOf(answer) };
}

function tagOf(answer: Response): string {
  return (answer.headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
}

/** What must be true of the name for a save to be done; otherwise the server answers 412. */
export type Expectation = { readonly etag: string } | "new" | "whatever";

export function writeSaved(path: string, workflow: Workflow, expected: Expectation): Promise<SavedView> {
  return json(address(path), { method: "PUT", body: { workflow }, headers: condition(expected) });
}

function condition(expected: Expectation): Record<string, string> {
  if (expected === "whatever") return {};
  return expected === "new" ? { "If-None-Match": "*" } : { "If-Match": `"${expected.etag}"` };
}

export async function deleteSaved(path: string): Promise<void> {
  await send(address(path), { method: "DELETE" });
}

export async function listTemplates(): Promise<readonly TemplateView[]> {
  return (await json<Schemas["TemplatesView"]>("/templates")).templates;
}

/** A template; its numbers have all digits, and its shape is not checked yet. */
export function readTemplate(name: string): Promise<unknown> {
  return exactJson(`/templates/${encodeURIComponent(name)}`);
}
