/** Masks and latents that nodes gave, in words. */

/** What the server tells of a tensor. */
export interface Tensor {
  readonly kind: "image" | "mask" | "latent";
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly not_finite: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  readonly std: number | null;
  /** Addresses of a picture of each item, from the first. */
  readonly pictures: readonly string[];
  /** The same in colours, of latents. */
  readonly colours: readonly string[];
  /** Whether those colours tell shapes alone. */
  readonly false_colours: boolean;
}

/** The classes whose values are looked at between the nodes. */
const LOOKED_AT: ReadonlySet<string> = new Set(["Latent", "Mask"]);

/** Names of the outputs that give such values, or lists of them. */
export function tensorOutputs(outputs: readonly { name: string; type: string }[]): string[] {
  return outputs.filter(({ type }) => LOOKED_AT.has(type)).map(({ name }) => name);
}

/** The size of one item: `4×16×16` of latents with their channels, width×height of others. */
export function sizeOf({ kind, shape }: Tensor): string {
  const [, first = 0, second = 0, third = 0] = shape;
  return kind === "latent" ? `${first}×${third}×${second}` : `${second}×${first}`;
}

export const itemsOf = ({ shape }: Tensor): number => shape[0] ?? 0;

/** Width by height. */
export function aspectOf({ kind, shape }: Tensor): number {
  const [, first = 1, second = 1, third = 1] = shape;
  return kind === "latent" ? third / second : second / first;
}

/** Whether every number is the same, so that there is nothing to see. */
export const isFlat = ({ min, max, not_finite }: Tensor): boolean => not_finite === 0 && min === max;

/** What a picture of it shows. */
export type Looks = "image" | "mask" | "channels" | "colours" | "falseColours";

export function looksOf({ kind, colours, false_colours }: Tensor, coloured = true): Looks {
  if (kind !== "latent") return kind;
  if (!coloured || colours.length === 0) return "channels";
  return false_colours ? "falseColours" : "colours";
}

/** A number in three digits; with the sign that is read as one. */
export function short(value: number | null): string {
  if (value === null) return "–";
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
