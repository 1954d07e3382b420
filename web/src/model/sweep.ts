/** Sweeps: each combination of some values of inputs, as the overrides of one job each. */
import type { Json, Workflow } from "./document";
import { setInput } from "./edit";

export interface Axis {
  readonly node: string;
  readonly input: string;
  readonly values: readonly Json[];
}

export type Overrides = Readonly<Record<string, Json>>;

export interface Cell {
  readonly overrides: Overrides;
  /** Its index along each axis; the first axis goes to the right, the second down. */
  readonly place: readonly number[];
}

/** All cells of a grid, row by row. */
export function grid(axes: readonly Axis[]): Cell[] {
  const [across, down] = axes;
  if (across === undefined) return [];
  const rows = down?.values ?? [undefined];
  return rows.flatMap((value, row) =>
    across.values.map((first, column): Cell => {
      const own = { [placeName(across)]: first };
      if (down === undefined || value === undefined) return { overrides: own, place: [column] };
      return { overrides: { ...own, [placeName(down)]: value }, place: [column, row] };
    }),
  );
}

/** The workflow of one job of a sweep. */
export function withOverrides(workflow: Workflow, overrides: Overrides): Workflow {
  return Object.entries(overrides).reduce((changed, [place, value]) => {
    const dot = place.lastIndexOf("."); // ids of nodes may have dots
    return setInput(changed, place.slice(0, dot), place.slice(dot + 1), value);
  }, workflow);
}

export function placeName({ node, input }: Pick<Axis, "node" | "input">): string {
  return `${node}.${input}`;
}

export const MAX_VALUES = 200;

/**
 * Read values as they are typed: `1, 2, 5`, a range `1..9` with an optional step `1..9/2`, or words.
 * Throws a `RangeError` for a range without end.
 */
export function parseValues(text: string, kind: "number" | "integer" | "text"): Json[] {
  const parts = kind === "text" && text.includes("\n") ? text.split("\n") : text.split(",");
  const trimmed = parts.map((part) => part.trim()).filter((part) => part !== "");
  const values = trimmed.flatMap((part) => (kind === "text" ? [part] : numbers(part, kind)));
  if (values.length > MAX_VALUES) throw new RangeError(`${values.length} values`);
  return values;
}

const NUMBER = String.raw`-?\d*\.?\d+`;
const RANGE = new RegExp(`^(${NUMBER})\\.\\.(${NUMBER})(?:/(${NUMBER}))?$`);

function numbers(part: string, kind: "number" | "integer"): Json[] {
  const found = RANGE.exec(part);
  if (found === null) {
    const value = Number(part);
    const fits = Number.isFinite(value) && (kind === "number" || Number.isInteger(value));
    if (!fits) throw new RangeError(part);
    return [value];
  }
  const [from, to, step] = [Number(found[1]), Number(found[2]), Math.abs(Number(found[3] ?? 1))];
  const count = Math.floor(Math.abs(to - from) / step + 1e-9) + 1;
  if (!Number.isFinite(count) || count > MAX_VALUES) throw new RangeError(part);
  const towards = to < from ? -step : step;
  const values = Array.from({ length: count }, (_, index) => round(from + index * towards));
  if (kind === "integer" && !values.every(Number.isInteger)) throw new RangeError(part);
  return values;
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3 here. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
