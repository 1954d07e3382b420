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

export interface Line {
  readonly name: string;
  /** Where the values are; as many as there are. */
  readonly x: readonly number[];
  /** `null` is a gap. */
  readonly y: readonly (number | null)[];
  readonly bars: boolean;
}

export interface Chart {
  readonly kind: "series";
  readonly lines: readonly Line[];
  readonly xLabel: string;
  readonly yLabel: string;
}

export interface Table {
  readonly kind: "table";
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** How many rows there were; the server keeps the first. */
  readonly total: number;
}

export type Shown = Chart | Table | { readonly kind: "text"; readonly text: string };

/** What the server tells of a value that draws itself. */
interface Told {
  readonly name?: string;
  readonly x?: readonly number[];
  readonly y?: readonly (number | null)[];
  readonly x_label?: string;
  readonly y_label?: string;
  readonly style?: string;
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly total?: number;
}

const FEWEST = 3;

/** How the plain values of an output are shown; curves of one output share a chart. */
export function shownOf(name: string, values: readonly OutputView[]): Shown[] {
  const plain = values.filter(({ file }) => !file);
  const curves = plain.filter(({ kind }) => kind === "series").map(({ value }) => value as Told);
  const others = plain.filter(({ kind }) => kind !== "series").map((value) => shownAs(name, value));
  return curves.length > 0 ? [chartOf(name, curves), ...others] : others;
}

function chartOf(name: string, curves: readonly Told[]): Chart {
  const [first] = curves;
  const lines = curves.map((told) => lineOf(told.name ?? name, told.y ?? [], told.x, told.style === "bars"));
  return { kind: "series", lines, xLabel: first?.x_label ?? "", yLabel: first?.y_label ?? "" };
}

function lineOf(name: string, y: Line["y"], x: Line["x"] = y.map((_, index) => index), bars = false): Line {
  return { name, x, y, bars };
}

function shownAs(name: string, { kind, value, note }: OutputView): Shown {
  if (kind === "table") return tableOf(value as Told);
  if (isCurve(value)) return { kind: "series", lines: [lineOf(name, value)], xLabel: "", yLabel: "" };
  return { kind: "text", text: textOf(note ?? value) };
}

function tableOf({ name = "", columns = [], rows = [], total = rows.length }: Told): Table {
  return { kind: "table", name, columns, rows, total };
}

function isCurve(value: unknown): value is number[] {
  return Array.isArray(value) && value.length >= FEWEST && value.every((one) => typeof one === "number");
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return JSON.stringify(value) ?? "";
}
