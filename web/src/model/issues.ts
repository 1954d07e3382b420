/** Issues of a validation. */

export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly node?: string | null;
  readonly input?: string | null;
  readonly suggestions?: readonly string[];
}

/** Each issue once: the body of a loop that two nodes run tells everything twice. */
export function distinctIssues<I extends Pick<Issue, "message" | "node">>(
  issues: readonly I[],
): readonly I[] {
  const byText = new Map(issues.map((issue) => [JSON.stringify([issue.node, issue.message]), issue]));
  return [...byText.values()];
}
