/** Workflows in other formats, read and written by the server. */
import type { Workflow } from "@/model/document";
import { exactJson, json } from "./http";
import type { IssueView } from "./problems";

export interface Imported {
  readonly workflow: Workflow;
  readonly source: "nodegraph" | "comfyui" | "comfyui-editor";
  /** What could not be carried over, then what validation finds. */
  readonly issues: readonly IssueView[];
}

/** Read a workflow out of JSON or a picture, this project's or ComfyUI's. */
export async function importWorkflow(file: Blob): Promise<Imported> {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await exactJson("/workflows/import", { file, headers })) as unknown as Imported;
}

export type ExportFormat = "comfyui" | "python";

export interface Exported {
  readonly name: string;
  readonly media_type: string;
  readonly text: string;
}

export function exportWorkflow(workflow: Workflow, format: ExportFormat): Promise<Exported> {
  return json("/workflows/export", { body: { workflow }, query: { format } });
}
