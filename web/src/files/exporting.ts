/** Workflows as files on a person's own disk. */
import { exportWorkflow, type ExportFormat } from "@/api/documents";
import type { Workflow } from "@/model/document";
import { writeJson } from "@/model/json";
import { currentTab, workflowOf, type Tab } from "@/state/documents";
import { ownName } from "@/state/tabNames";
import { telling } from "./telling";

export function download(name: string, type: string, content: BlobPart): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address));
}

/** A plain file name for a workflow; letters of every language stay. */
export function fileStem(name = ""): string {
  return (
    name
      .replace(/[^\p{L}\p{N}]+/gu, "_")
      .replace(/^_+|_+$/g, "")
      .toLowerCase()
      .slice(0, 100) || "workflow"
  );
}

export function exportJson(): void {
  const tab = currentTab();
  const text = `${writeJson(workflowOf(tab), 2)}\n`;
  download(`${fileStem(ownName(tab))}.json`, "application/json", text);
}

/** The server names the file, and a program, by what the workflow is called. */
function named(tab: Tab): Workflow {
  const name = ownName(tab);
  return name === undefined ? workflowOf(tab) : { ...workflowOf(tab), name };
}

/** Export what the server writes; it says what the format has no words for. */
export function exportAs(format: ExportFormat): Promise<void> {
  return telling(async () => {
    const { name, media_type, text } = await exportWorkflow(named(currentTab()), format);
    download(name, media_type, text);
  });
}
