/** What the server says of the document in front: issues, and what a run would do. */
import { create } from "zustand";
import { currentTab, tabOf, useDocuments, workflowOf } from "./documents";
import type { Workflow } from "@/model/document";
import { planOf } from "@/api/client";
import { json } from "@/api/http";
import { ApiError, Unreachable } from "@/api/problems";
import type { components } from "@/api/types";

export type Issue = components["schemas"]["IssueView"];
type Planned = components["schemas"]["PlannedNode"];
type Facts = components["schemas"]["PlannedOutput"]["facts"];

export interface PlannedNode {
  /** `null` for a workflow that must not run. */
  readonly origin: Planned["origin"];
  /** The node that is why this one is left out: muted, or needing one that is. */
  readonly leftOutBy?: string;
  /** What comes out, in short, such as `512×512`. */
  readonly outputs: string;
}

interface Check {
  readonly issues: readonly Issue[];
  readonly nodes: Readonly<Record<string, PlannedNode>>;
  /** How many nodes would run. */
  readonly run: number | undefined;
  /** How many more may run, because loops and branches may ask for them. */
  readonly maybe: number;
  readonly checking: boolean;
  /** When this was asked, by `Date.now()`. */
  readonly asked: number;
  /** The tab and the document that this is about. */
  readonly about?: { readonly tab: string; readonly workflow: Workflow };
}

type Answer = Omit<Check, "checking" | "asked" | "about">;

const NOTHING: Check = { issues: [], nodes: {}, run: undefined, maybe: 0, checking: false, asked: 0 };
const PAUSE_MS = 350;
const BUSY_MS = 3000;

export const useCheck = create<Check>(() => NOTHING);

let timer: ReturnType<typeof setTimeout> | undefined;
let asked: AbortController | undefined;

/** Ask again soon; more changes within a moment are asked about once. */
export function checkSoon(): void {
  checkIn(PAUSE_MS);
}

function checkIn(milliseconds: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void checkNow(), milliseconds);
}

export async function checkNow(): Promise<void> {
  asked?.abort();
  asked = new AbortController();
  const { key: tab } = currentTab();
  const workflow = workflowOf(currentTab());
  if (Object.keys(workflow.nodes ?? {}).length === 0) return useCheck.setState(NOTHING);
  useCheck.setState({ checking: true });
  const moment = Date.now();
  try {
    const answer = await ask(workflow, asked.signal);
    useCheck.setState({ ...answer, checking: false, asked: moment, about: { tab, workflow } });
  } catch (error) {
    // A newer question took its place, or the server is gone, which the connection tells.
    if (!(error instanceof DOMException || error instanceof Unreachable)) throw error;
  }
}

async function ask(workflow: Workflow, signal: AbortSignal): Promise<Answer> {
  try {
    const plan = await planOf(workflow, undefined, signal);
    if (plan.valid || plan.runnable.length === 0) return readPlan(plan);
    // What a run leaves out stays wrong; what it does is told of the rest.
    return { ...readPlan(await planOf(workflow, plan.runnable, signal)), issues: plan.issues };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 503) checkIn(BUSY_MS);
    const issues = error.issues.length > 0 ? error.issues : await validate(workflow, signal);
    return { issues, nodes: {}, run: undefined, maybe: 0 };
  }
}

/** The worker, which plans, may be busy or not there: what is wrong can still be told. */
async function validate(workflow: Workflow, signal: AbortSignal): Promise<readonly Issue[]> {
  try {
    return (await json<components["schemas"]["ValidView"]>("/validate", { body: { workflow }, signal }))
      .issues;
  } catch (error) {
    if (error instanceof ApiError) return error.issues;
    throw error;
  }
}

function readPlan(plan: components["schemas"]["PlanView"]): Answer {
  const told = Object.entries(plan.nodes).map(([id, { origin, outputs }]): [string, PlannedNode] => [
    id,
    { origin, outputs: shapes(outputs) },
  ]);
  const left = Object.entries(plan.left_out).map(([id, leftOutBy]): [string, PlannedNode] => [
    id,
    { origin: null, outputs: "", leftOutBy },
  ]);
  return {
    run: plan.valid ? plan.run : undefined,
    maybe: plan.maybe,
    issues: plan.issues,
    nodes: Object.fromEntries([...told, ...left]),
  };
}

/** The facts known of the outputs of a node, in short. */
function shapes(outputs: Planned["outputs"]): string {
  const told = Object.values(outputs).map(({ facts }) => shape(facts));
  return [...new Set(told.filter((text) => text !== ""))].join(" · ");
}

function shape(facts: Facts): string {
  const { width, height, latent_width, latent_height, family, batch, count } = facts;
  const size = times(width, height) || times(latent_width, latent_height);
  const many = Number(batch ?? count ?? 1) > 1 ? `×${String(batch ?? count)}` : "";
  return [size, many, String(family ?? "")].filter((part) => part !== "").join(" ");
}

function times(width: Facts[string] | undefined, height: Facts[string] | undefined): string {
  return width == null || height == null ? "" : `${String(width)}×${String(height)}`;
}

/** Keep asking while the document in front changes. */
export function watchDocument(): () => void {
  checkSoon();
  return useDocuments.subscribe((state, before) => {
    if (workflowOf(tabOf(state)) !== workflowOf(tabOf(before))) checkSoon();
  });
}
