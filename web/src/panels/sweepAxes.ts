/** The inputs that may be swept, and what was chosen of them. */
import { nodesOf, type Workflow } from "@/model/document";
import { grid, parseValues, type Axis, type Cell } from "@/model/sweep";
import { currentCatalogue } from "@/state/catalogue";
import type { AxisChoice } from "@/state/sweeps";

export type Kind = "number" | "integer" | "text";

/** An input with a value of its own: nothing is wired in. */
export interface Sweepable {
  readonly node: string;
  readonly input: string;
  readonly kind: Kind;
  /** What a menu offers. */
  readonly choices?: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = { integer: "integer", number: "number", string: "text" };

export function sweepables(workflow: Workflow): Sweepable[] {
  const types = currentCatalogue().nodes;
  return Object.entries(nodesOf(workflow)).flatMap(([node, entry]) =>
    (types[entry.type]?.inputs ?? []).flatMap(({ name, schema, socketOnly }) => {
      const kind = typeof schema.type === "string" ? KINDS[schema.type] : undefined;
      if (socketOnly || kind === undefined || entry.links?.[name] !== undefined) return [];
      const choices = schema.enum?.map(String);
      return [{ node, input: name, kind, ...(choices && { choices }) }];
    }),
  );
}

/**
 * The jobs of a sweep; `undefined` where the values of an axis cannot be read.
 *
 * What the workflow no longer has, or has wired, is left out.
 */
export function cellsOf(
  axes: readonly (AxisChoice | null)[],
  inputs: readonly Sweepable[],
): Cell[] | undefined {
  const chosen = axes.flatMap((axis) => {
    const of = inputs.find(({ node, input }) => node === axis?.node && input === axis.input);
    return of && axis ? [{ of, text: axis.text }] : [];
  });
  try {
    return grid(chosen.map(({ of, text }): Axis => ({ ...of, values: parseValues(text, of.kind) })));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
