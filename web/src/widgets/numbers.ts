import type { Json } from "@/model/document";
import type { JsonSchema } from "@/state/nodeTypes";
import { valueSchema } from "./kinds";

export interface Limits {
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
  readonly whole: boolean;
}

/** The limits of a number; its step is a hundredth where the schema has none. */
export function limitsOf(schema: JsonSchema): Limits {
  const { minimum = -Infinity, maximum = Infinity, multipleOf, type } = valueSchema(schema);
  const whole = type === "integer";
  const small = maximum - minimum <= 2 ? 0.01 : 0.1;
  return { minimum, maximum, whole, step: multipleOf ?? (whole ? 1 : small) };
}

/** The nearest number that the schema allows. Whether it is one of the steps counts only where it must. */
export function clamp(value: number, { minimum, maximum, step, whole }: Limits): number {
  const base = Number.isFinite(minimum) && minimum % step === 0 ? minimum : 0;
  const stepped = whole ? base + Math.round((value - base) / step) * step : value;
  const bounded = Math.min(maximum, Math.max(minimum, stepped));
  return Number(bounded.toPrecision(12));
}

/** Which limit a number does not keep to, by the text that tells it. */
export function limitBroken(
  value: number,
  limits: Limits,
): "limitLeast" | "limitMost" | "limitWhole" | "limitStep" | undefined {
  if (value < limits.minimum) return "limitLeast";
  if (value > limits.maximum) return "limitMost";
  if (!limits.whole || clamp(value, limits) === value) return undefined;
  return limits.step === 1 ? "limitWhole" : "limitStep";
}

/** Read what someone typed: a number, or a sum such as `512*2`. */
export function parseNumber(text: string): number | undefined {
  const plain = Number(text.trim().replace(",", "."));
  if (text.trim() !== "" && Number.isFinite(plain)) return plain;
  const parts = /^\s*(-?[\d.]+)\s*([-+*/])\s*(-?[\d.]+)\s*$/.exec(text);
  if (parts === null) return undefined;
  const [left, right] = [Number(parts[1]), Number(parts[3])];
  const sums: Record<string, number> = {
    "+": left + right,
    "-": left - right,
    "*": left * right,
    "/": left / right,
  };
  const sum = sums[parts[2] ?? ""];
  return sum !== undefined && Number.isFinite(sum) ? sum : undefined;
}

export function asNumber(value: Json): number {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : 0;
}
