/** What nodes gave, told apart by how it is looked at. */
import type { FileView, JobView, OutputView } from "@/api/client";

export interface Picture {
  readonly file: FileView;
  readonly node: string;
  /** The job that made it, where it is known. */
  readonly job?: string;
}

type Outputs = Readonly<Record<string, readonly OutputView[]>>;

export function picturesOf(outputs: Readonly<Record<string, Outputs>>, job?: string): Picture[] {
  return Object.entries(outputs).flatMap(([node, byName]) =>
    Object.values(byName)
      .flat()
      .flatMap(({ file }) =>
        file?.media_type.startsWith("image/") ? [{ file, node, ...(job !== undefined && { job }) }] : [],
      ),
  );
}

export const picturesOfJob = (job: JobView): Picture[] => picturesOf(job.result?.outputs ?? {}, job.id);

export type Shown =
  | { readonly kind: "series"; readonly lines: readonly Line[] }
  | { readonly kind: "table"; readonly rows: readonly (readonly [string, string])[] }
  | { readonly kind: "text"; readonly text: string };

export interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

const FEWEST = 3;
const isSeries = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length >= FEWEST && value.every((one) => typeof one === "number");
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** How a plain value is shown: numbers in a row as lines, records as a table, the rest as text. */
export function shownAs(name: string, value: unknown): Shown {
  if (isSeries(value)) return { kind: "series", lines: [{ name, values: value }] };
  if (isRecord(value)) {
    const entries = Object.entries(value);
    if (entries.length > 0 && entries.every(([, inner]) => isSeries(inner)))
      return {
        kind: "series",
        lines: entries.map(([key, inner]) => ({ name: key, values: inner as number[] })),
      };
    return { kind: "table", rows: entries.map(([key, inner]) => [key, textOf(inner)] as const) };
  }
  return { kind: "text", text: textOf(value) };
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return JSON.stringify(value);
}
