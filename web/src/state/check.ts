/** What the server says of the document in front: issues, and what a run would do. */
import { create } from "zustand";
import { currentTab, tabOf, useDocuments, workflowOf } from "./documents";
import { writeJson } from "@/model/json";
import type { Workflow } from "@/model/document";
import type { components } from "@/api/types";

export type Issue = components["schemas"]["IssueView"];
type Origin = "run" | "memory" | "disk" | "unneeded";

export interface PlannedNode {
  readonly origin: Origin;
  /** What comes out, in short, such as `512×512`. */
  readonly outputs: string;
}

interface Check {
  readonly issues: readonly Issue[];
  readonly nodes: Readonly<Record<string, PlannedNode>>;
  /** How many nodes would run. */
  readonly run: number | undefined;
  readonly checking: boolean;
}

const NOTHING: Check = { issues: [], nodes: {}, run: undefined, checking: false };
const PAUSE_MS = 350;

export const useCheck = create<Check>(() => NOTHING);

interface Fact {
  readonly type: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

interface PlanAnswer {
  readonly run: number;
  readonly nodes: Readonly<Record<string, { origin: Origin; outputs?: Readonly<Record<string, Fact>> }>>;
  readonly issues: readonly Issue[];
}

interface Problem {
  readonly issues?: readonly Issue[];
  readonly detail?: string;
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asked: AbortController | undefined;

/** Ask again soon; more changes within a moment are asked about once. */
export function checkSoon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void checkNow(), PAUSE_MS);
}

export async function checkNow(): Promise<void> {
  asked?.abort();
  asked = new AbortController();
  const workflow = workflowOf(currentTab());
  if (Object.keys(workflow.nodes ?? {}).length === 0) return useCheck.setState(NOTHING);
  useCheck.setState({ checking: true });
  try {
    useCheck.setState({ ...(await ask(workflow, asked.signal)), checking: false });
  } catch (error) {
    // A newer question took its place, or the server is gone, which the connection tells.
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
}

async function ask(workflow: Workflow, signal: AbortSignal): Promise<Omit<Check, "checking">> {
  const planned = await post("/plan", workflow, signal);
  if (planned.ok) return readPlan((await planned.json()) as PlanAnswer);
  if (planned.status === 422) {
    const { issues = [] } = (await planned.json()) as Problem;
    return { issues, nodes: {}, run: undefined };
  }
  const checked = await post("/validate", workflow, signal);
  const { issues = [] } = checked.ok ? ((await checked.json()) as Problem) : {};
  return { issues, nodes: {}, run: undefined };
}

function post(path: string, workflow: Workflow, signal: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return fetch(`/api/v1${path}`, { method: "POST", headers, body: writeJson({ workflow }), signal });
}

function readPlan({ run, nodes, issues }: PlanAnswer): Omit<Check, "checking"> {
  const told = Object.entries(nodes).map(([id, { origin, outputs }]): [string, PlannedNode] => [
    id,
    { origin, outputs: shapes(outputs) },
  ]);
  return { run, issues, nodes: Object.fromEntries(told) };
}

/** The facts known of the outputs of a node, in short. */
function shapes(outputs: Readonly<Record<string, Fact>> = {}): string {
  const told = Object.values(outputs).map(({ facts = {} }) => shape(facts));
  return [...new Set(told.filter((text) => text !== ""))].join(" · ");
}

function shape(facts: Readonly<Record<string, unknown>>): string {
  const { width, height, family, batch, count } = facts;
  const size = width !== undefined && height !== undefined ? `${String(width)}×${String(height)}` : "";
  const many = Number(batch ?? count ?? 1) > 1 ? `×${String(batch ?? count)}` : "";
  return [size, many, family === undefined ? "" : String(family)].filter((part) => part !== "").join(" ");
}

/** Keep asking while the document in front changes. */
export function watchDocument(): () => void {
  checkSoon();
  return useDocuments.subscribe((state, before) => {
    if (workflowOf(tabOf(state)) !== workflowOf(tabOf(before))) checkSoon();
  });
}
