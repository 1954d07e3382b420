/** Workflows in other formats, read and written by the server. */
import type { Workflow } from "@/model/document";
import { exactJson, json } from "./http";
import type { components } from "./types";

type Schemas = components["schemas"];
/** What was read; its workflow has all digits, and is not checked yet. */
export type Imported = Omit<Schemas["ImportView"], "workflow"> & { readonly workflow: unknown };
export type Exported = Schemas["ExportView"];

/** Read a workflow out of JSON or a picture, this project's or ComfyUI's. */
export async function importWorkflow(file: Blob): Promise<Imported> {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await exactJson("/workflows/import", { file, headers })) as unknown as Imported;
}

export type ExportFormat = "comfyui" | "python";

export function exportWorkflow(workflow: Workflow, format: ExportFormat): Promise<Exported> {
  return json("/workflows/export", { body: { workflow }, query: { format } });
}
