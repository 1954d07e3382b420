/** Issues of a validation. */

export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly node?: string | null;
  readonly input?: string | null;
  readonly suggestions?: readonly string[];
}

export function worst(issues: readonly Issue[]): "error" | "warning" | undefined {
  if (issues.length === 0) return undefined;
  return issues.some((issue) => issue.severity === "error") ? "error" : "warning";
}
