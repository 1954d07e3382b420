/** What a card says of itself where it is too small to be read. */
import type { Issue } from "@/state/check";
import type { NodeRun } from "@/state/runs";

export interface FarMark {
  /** Round the card: it runs, or failed. */
  readonly outline?: string;
  /** Along its foot: where its result came from, or how far it is. */
  readonly foot?: { readonly colour: string; readonly share: number };
  /** In its corner: something is wrong. */
  readonly corner?: string;
}

type Severity = Issue["severity"];

const RUNNING = "var(--success)";
const FAILED = "var(--danger)";
const RAN = "var(--accent)";
const CACHED = "var(--success)";

/** The colours are those of a card seen from near. */
export function farMark(run: NodeRun | undefined, severity: Severity | undefined): FarMark {
  const corner = severity && { corner: severity === "error" ? "var(--danger)" : "var(--warning)" };
  return { ...markOfRun(run), ...corner };
}

function markOfRun(run: NodeRun | undefined): FarMark {
  if (run?.status === "running")
    return {
      outline: RUNNING,
      foot: { colour: RUNNING, share: run.total ? (run.value ?? 0) / run.total : 0 },
    };
  if (run?.status === "failed") return { outline: FAILED, foot: { colour: FAILED, share: 1 } };
  if (run?.status === "done") return { foot: { colour: run.origin === "run" ? RAN : CACHED, share: 1 } };
  return {};
}

/** The worst that is said of each node of the graph at `prefix`, or of what is inside it. */
export function severities(issues: readonly Issue[], prefix: string): ReadonlyMap<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { node, severity } of issues) {
    if (!node?.startsWith(prefix)) continue;
    const [id = ""] = node.slice(prefix.length).split("/");
    if (worst.get(id) !== "error") worst.set(id, severity);
  }
  return worst;
}
