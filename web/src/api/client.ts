/** The operations of the server that the editor uses, typed by its own description. */
import type { Workflow } from "@/model/document";
import { newId } from "@/model/ids";
import type { Overrides } from "@/model/sweep";
import { exactJson, json, PREFIX, send } from "./http";
import type { components } from "./types";

type Schemas = components["schemas"];
export type JobView = Schemas["JobView"];
export type JobState = JobView["state"];
export type JobPage = Schemas["JobPage"];
export type QueueView = Schemas["QueueView"];
export type FileView = Schemas["FileView"];
export type OutputView = Schemas["OutputView"];
export type UploadView = Schemas["UploadView"];
export type SystemView = Schemas["SystemView"];
export type ModelsView = Schemas["ModelsView"];
export type TensorView = Schemas["TensorView"];
export type MoveRequest = Partial<Schemas["MoveRequest"]>;

const part = encodeURIComponent;

export interface JobOptions {
  readonly targets?: readonly string[];
  readonly front?: boolean;
  readonly label?: string;
}

/** A request that is sent again with the same key queues nothing twice. */
function once(key: string = newId()): Record<string, string> {
  return { "Idempotency-Key": key };
}

export function submitJob(workflow: Workflow, options: JobOptions = {}, key?: string): Promise<JobView> {
  return json("/jobs", { body: { workflow, ...options }, headers: once(key) });
}

/** What a job would do now. */
export function planOf(
  workflow: Workflow,
  targets?: readonly string[],
  signal?: AbortSignal,
): Promise<Schemas["PlanView"]> {
  const body = { workflow, ...(targets && { targets }) };
  return json("/plan", { body, ...(signal && { signal }) });
}

export async function submitBatch(
  workflow: Workflow,
  variants: readonly Overrides[],
  options: JobOptions = {},
): Promise<readonly JobView[]> {
  const body = { workflow, variants, ...options };
  return (await json<Schemas["BatchView"]>("/jobs/batch", { body, headers: once() })).jobs;
}

export function getJob(id: string, signal?: AbortSignal): Promise<JobView> {
  return json(`/jobs/${part(id)}`, { ...(signal && { signal }) });
}

export function listJobs(query: {
  state?: readonly JobState[];
  limit?: number;
  before?: number | undefined;
}): Promise<JobPage> {
  return json("/jobs", { query });
}

/** What a job ran; its numbers have all digits, and its shape is not checked yet. */
export function getJobWorkflow(id: string): Promise<unknown> {
  return exactJson(`/jobs/${part(id)}/workflow`);
}

/** What an output of a node looks like: pictures, masks and latents. */
export function getTensor(job: string, node: string, output: string): Promise<TensorView> {
  return json(`/jobs/${part(job)}/tensor`, { query: { node, output } });
}

export function cancelJob(id: string): Promise<Schemas["CancelView"]> {
  return json(`/jobs/${part(id)}/cancel`, { method: "POST" });
}

export function moveJob(id: string, place: MoveRequest): Promise<JobView> {
  return json(`/jobs/${part(id)}/move`, { body: place });
}

export async function deleteJob(id: string): Promise<void> {
  await send(`/jobs/${part(id)}`, { method: "DELETE" });
}

export function getQueue(): Promise<QueueView> {
  return json("/queue");
}

export async function setPaused(paused: boolean): Promise<boolean> {
  const answer = await json<Schemas["PausedView"]>(`/queue/${paused ? "pause" : "resume"}`, {
    method: "POST",
  });
  return answer.paused;
}

export function getModels(): Promise<ModelsView> {
  return json("/models");
}

export function getModelPictures(folder: string): Promise<Schemas["ModelFolderView"]> {
  return json(`/models/${part(folder)}/pictures`);
}

/** Where the picture of a model is. */
export function modelPicture(folder: string, name: string): string {
  const path = name.split("/").map(part).join("/");
  return `${PREFIX}/models/${part(folder)}/pictures/${path}`;
}

export function getSystem(): Promise<SystemView> {
  return json("/system");
}

/** Let go of idle models, and of results in memory where asked. */
export async function freeMemory(results: boolean): Promise<void> {
  await send("/memory/free", { body: { models: true, results } });
}

export async function upload(file: File, overwrite = false): Promise<UploadView> {
  const form = new FormData();
  if (overwrite) form.append("overwrite", "true"); // fields count for the files after them
  form.append("file", file, file.name);
  const { uploads } = await json<Schemas["UploadsView"]>("/uploads", { file: form });
  const [stored] = uploads;
  if (stored === undefined) throw new Error("the server kept no file and told no problem");
  return stored;
}

/** Whether anyone answers; open to all. */
export async function ping(signal?: AbortSignal): Promise<void> {
  await send("/health", { ...(signal && { signal }) });
}

export async function logIn(token: string): Promise<void> {
  await send("/session", { body: { token } });
}

export async function logOut(): Promise<void> {
  await send("/session", { method: "DELETE" });
}
