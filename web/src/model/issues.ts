/** Issues of a validation by the node they are about, also where it is inside a subgraph. */

export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly node?: string | null;
  readonly input?: string | null;
  readonly suggestions?: readonly string[];
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
