/** Opening workflows: from the server, from files, from jobs and templates. */
import { getJob, getJobWorkflow } from "@/api/client";
import { readSaved, readTemplate } from "@/api/library";
import { ApiError } from "@/api/problems";
import { addPicture } from "@/canvas/pictures";
import type { WindowPoint } from "@/canvas/placeInView";
import { BadDocument, readWorkflow } from "@/model/reading";
import { tell } from "@/state/announcer";
import { activateTab, openCopy, openWorkflow, useDocuments } from "@/state/documents";
import { followJob } from "@/state/runs";
import { t } from "@/strings";
import { arrivalIn, arrivalOf, notesOf, type Arrival } from "./door";
import { noteEtag } from "./places";
import { placed } from "./placing";
import { failureOf, telling } from "./telling";

/** Open a saved workflow, or show the tab that has it. */
export function openSaved(place: string): Promise<void> {
  const there = useDocuments.getState().tabs.find((tab) => tab.place === place);
  if (there) {
    activateTab(there.key);
    return Promise.resolve();
  }
  return telling(async () => {
    const { text, etag } = await readSaved(place);
    const arrival = await arrivalOf(text);
    const workflow = await placed(arrival.workflow);
    if (arrival.translated) openWorkflow({ ...workflow, name: workflow.name || place });
    else {
      noteEtag(place, etag);
      openWorkflow(workflow, place);
    }
    tellNotes(place, notesOf(arrival));
  }, place);
}

/** Open what someone else saved beside what is here. */
export function openTheirs(place: string): Promise<void> {
  return telling(async () => {
    const arrival = await arrivalOf((await readSaved(place)).text);
    openCopy({ ...(await placed(arrival.workflow)), name: t("conflictTheirName", { name: place }) });
    tellNotes(place, notesOf(arrival));
  }, place);
}

export function openTemplate(name: string): Promise<void> {
  return telling(async () => {
    openCopy(await placed(readWorkflow(await readTemplate(name)).workflow));
  }, name);
}

/** The workflow as a job ran it, with what came of it. */
export function openJob(id: string): Promise<void> {
  return telling(async () => {
    const [given, job] = await Promise.all([getJobWorkflow(id), getJob(id)]);
    const { workflow, dropped } = readWorkflow(given);
    followJob(job, openWorkflow(await placed(workflow)));
    tellNotes(workflow.name ?? "", notesOf({ workflow, dropped, lost: [] }));
  });
}

/** Open files one after the other, and tell once what became of them. */
export async function openFiles(files: readonly File[], place?: WindowPoint): Promise<void> {
  const failures: string[] = [];
  const notes: string[] = [];
  for (const file of files)
    try {
      notes.push(...(await openFile(file, place)).map((why) => t("saidOf", { name: file.name, why })));
    } catch (error) {
      failures.push(failureOf(error, file.name));
    }
  tellOutcome(failures, files.length, notes);
}

function tellOutcome(failures: readonly string[], all: number, notes: readonly string[]): void {
  const [first = ""] = failures;
  if (failures.length > 1)
    return tell(t("saidFilesFailed", { count: failures.length, all }), undefined, [...failures, ...notes]);
  if (notes.length > 0) return tell(first || t("saidLeftOut", { count: notes.length }), undefined, notes);
  if (first !== "") tell(first);
}

function tellNotes(name: string, notes: readonly string[]): void {
  tellOutcome(
    [],
    1,
    notes.map((why) => (name === "" ? why : t("saidOf", { name, why }))),
  );
}

const PLAIN = "unreadable_workflow";
/** Pictures that the server reads. */
const PICTURES = /^image\/(?!svg)/;

/**
 * A JSON or PNG of this project or of ComfyUI; a picture without a workflow becomes a node that loads it.
 *
 * Gives what could not be carried over.
 */
async function openFile(file: File, place?: WindowPoint): Promise<readonly string[]> {
  await checkReadable(file);
  const found = await workflowOrPicture(file);
  if (found === "picture") {
    await addPicture(file, place);
    return [];
  }
  const name = found.workflow.name || file.name.replace(/\.\w+$/, "");
  openWorkflow({ ...(await placed(found.workflow)), name });
  return notesOf(found);
}

/** A folder is given like a file, and sending it looks like a server that is gone. */
async function checkReadable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (error) {
    if (error instanceof DOMException) throw new BadDocument(t("noFile"), { cause: error });
    throw error;
  }
}

async function workflowOrPicture(file: File): Promise<Arrival | "picture"> {
  try {
    return await arrivalIn(file);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === PLAIN)) throw error;
    if (PICTURES.test(file.type)) return "picture";
    if (/\.json$/i.test(file.name) || file.type === "application/json") throw error;
    throw new BadDocument(t("noWorkflowFile"), { cause: error });
  }
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
