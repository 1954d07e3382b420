/** Issues of a validation. */

export interface Issue {
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly node?: string | null;
  readonly input?: string | null;
  readonly suggestions?: readonly string[];
}
