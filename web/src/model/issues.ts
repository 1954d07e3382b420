/** Issues of a validation by the node they are about, also where it is inside a subgraph. */
import { lookUp, nodeOf, subgraphName, type Graph, type Scope, type Workflow } from "./document";

export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly node?: string | null;
  readonly input?: string | null;
  readonly suggestions?: readonly string[];
}

/** Where a node is: the canvas that shows it, its id there, and the subgraph nodes on the way. */
export interface Place {
  readonly scope: Scope;
  readonly id: string;
  readonly path: readonly string[];
}

/** Find a node by the id that runs give it, such as `upscale/sampler` for one inside a subgraph. */
export function placeOf(workflow: Workflow, runId: string): Place | undefined {
  return find(workflow, workflow, null, runId, []);
}

function find(
  workflow: Workflow,
  graph: Graph,
  scope: Scope,
  runId: string,
  path: readonly string[],
): Place | undefined {
  if (nodeOf(graph, runId) !== undefined) return { scope, id: runId, path };
  for (let slash = runId.indexOf("/"); slash > 0; slash = runId.indexOf("/", slash + 1)) {
    const id = runId.slice(0, slash);
    const name = subgraphName(nodeOf(graph, id)?.type ?? "");
    const inner = name === undefined ? undefined : lookUp(workflow.subgraphs, name);
    if (name === undefined || inner === undefined || path.length > 50) continue;
    const found = find(workflow, inner, name, runId.slice(slash + 1), [...path, id]);
    if (found) return found;
  }
  return undefined;
}

/** By node of the open canvas, what is wrong with it or inside it; `path` leads to the canvas. */
export function issuesByNode(issues: readonly Issue[], path: readonly string[] = []): Map<string, Issue[]> {
  const prefix = path.map((id) => `${id}/`).join("");
  const found = new Map<string, Issue[]>();
  for (const issue of issues) {
    if (!issue.node?.startsWith(prefix)) continue;
    const rest = issue.node.slice(prefix.length);
    for (const id of [rest, ...outerIds(rest)]) found.set(id, [...(found.get(id) ?? []), issue]);
  }
  return found;
}

/** `a/b/c` is told at `a` and `a/b` too: whichever of them is a node. */
function outerIds(id: string): string[] {
  const parts = id.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Issues about the whole, which belong to no node. */
export function issuesOfNone(issues: readonly Issue[]): Issue[] {
  return issues.filter((issue) => !issue.node);
}

export function worst(issues: readonly Issue[]): "error" | "warning" | undefined {
  if (issues.length === 0) return undefined;
  return issues.some((issue) => issue.severity === "error") ? "error" : "warning";
}
