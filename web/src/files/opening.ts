/** Opening workflows: from the server, from files, from jobs and templates. */
import { getJob, getJobWorkflow } from "@/api/client";
import { importWorkflow, type Imported } from "@/api/documents";
import { readSaved, readTemplate } from "@/api/library";
import { ApiError } from "@/api/problems";
import { roomOf } from "@/canvas/geometry";
import { addPicture } from "@/canvas/pictures";
import type { WindowPoint } from "@/canvas/placeInView";
import { autoLayout, type InputsOf } from "@/model/arranging";
import { editAt, graphAt, nodesOf, type Workflow } from "@/model/document";
import { tell } from "@/state/announcer";
import { catalogueThere } from "@/state/catalogue";
import { activateTab, openCopy, openWorkflow, useDocuments } from "@/state/documents";
import { nodeTypeOf } from "@/state/nodeTypes";
import { followJob } from "@/state/runs";
import { t } from "@/strings";
import { noteEtag } from "./places";
import { telling } from "./telling";

/** Open a saved workflow, or show the tab that has it. */
export function openSaved(place: string): Promise<void> {
  const there = useDocuments.getState().tabs.find((tab) => tab.place === place);
  if (there) {
    activateTab(there.key);
    return Promise.resolve();
  }
  return telling(async () => {
    const { workflow, etag } = await readSaved(place);
    noteEtag(place, etag);
    openWorkflow(workflow, place);
  });
}

export function openTemplate(name: string): Promise<void> {
  return telling(async () => {
    openCopy(await placed(await readTemplate(name)));
  });
}

/** The workflow as a job ran it, with what came of it. */
export function openJob(id: string): Promise<void> {
  return telling(async () => {
    const [workflow, job] = await Promise.all([getJobWorkflow(id), getJob(id)]);
    followJob(job, openWorkflow(await placed(workflow)));
  });
}

const PLAIN = "unreadable_workflow";

/** A JSON or PNG of this project or of ComfyUI; a picture without a workflow becomes a node that loads it. */
export function openFile(file: File, place?: WindowPoint): Promise<void> {
  return telling(async () => {
    const found = await workflowOrPicture(file);
    if (found === "picture") return addPicture(file, place);
    const { workflow, issues } = found;
    const name = workflow.name || file.name.replace(/\.\w+$/, "");
    openWorkflow({ ...(await placed(workflow)), name });
    const lost = issues.filter(({ code }) => code === "not_mapped").length;
    if (lost > 0) tell(t("saidNotMapped", { count: lost }));
  });
}

async function workflowOrPicture(file: File): Promise<Imported | "picture"> {
  try {
    return await importWorkflow(file);
  } catch (error) {
    if (file.type.startsWith("image/") && error instanceof ApiError && error.code === PLAIN) return "picture";
    throw error;
  }
}

/** Nodes without places, as other programs write them, are laid out; those inside subgraphs, too. */
async function placed(workflow: Workflow): Promise<Workflow> {
  let laid = workflow;
  for (const scope of [null, ...Object.keys(workflow.subgraphs ?? {})]) {
    const graph = graphAt(workflow, scope) ?? {};
    if (Object.values(nodesOf(graph)).every((node) => node.ui?.position !== undefined)) continue;
    const catalogue = await catalogueThere();
    const place = { graph, workflow, catalogue };
    const inputsOf: InputsOf = (id, entry) => nodeTypeOf(id, entry, place).inputs.map(({ name }) => name);
    const after = await autoLayout(graph, { sizeOf: roomOf(place), inputsOf });
    laid = editAt(laid, scope, () => after);
  }
  return laid;
}

/** Let a person choose files. */
export function chooseFiles(): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".json,.png,application/json,image/png";
  input.multiple = true;
  input.addEventListener("change", () => void openFiles([...(input.files ?? [])]));
  input.click();
}

export async function openFiles(files: readonly File[], place?: WindowPoint): Promise<void> {
  for (const file of files) await openFile(file, place);
}

const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

/** Open files that are dropped anywhere; a widget that takes them itself comes first. */
export function watchDrops(): () => void {
  const over = (event: DragEvent) => {
    if (carriesFiles(event)) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (event.defaultPrevented || !carriesFiles(event)) return;
    event.preventDefault();
    const onCanvas = event.target instanceof Element && event.target.closest("[data-region=canvas]");
    const place = onCanvas ? { x: event.clientX, y: event.clientY } : undefined;
    void openFiles([...(event.dataTransfer?.files ?? [])], place);
  };
  addEventListener("dragover", over);
  addEventListener("drop", drop);
  return () => {
    removeEventListener("dragover", over);
    removeEventListener("drop", drop);
  };
}
