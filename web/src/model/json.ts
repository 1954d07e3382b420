/**
 * JSON without loss: seeds reach 2^64, which `JSON.parse` rounds, and `1.0` must not come back as `1`.
 *
 * Whole numbers beyond 2^53 become `bigint`. Numbers that JavaScript would write in another way keep their
 * text beside the object that holds them: what an edit does not touch is written as it was read.
 */
import { LosslessNumber, parse, stringify } from "lossless-json";
import type { Json } from "./document";

const texts = new WeakMap<object, Map<string, string>>();

/** Read JSON text. Throws a `SyntaxError` that says where it is broken. */
export function parseJson(text: string): Json {
  return parse(text, keepText, undefined) as Json;
}

function keepText(this: unknown, key: string, value: unknown): unknown {
  if (!(value instanceof LosslessNumber)) return value;
  const { value: text } = value;
  const number = Number(text);
  if (/^-?\d+$/.test(text) && !Number.isSafeInteger(number)) return BigInt(text);
  if (String(number) === text) return number;
  if (typeof this === "object" && this !== null) noteText(this, key, text);
  return number;
}

function noteText(holder: object, key: string, text: string): void {
  const known = texts.get(holder) ?? new Map<string, string>();
  texts.set(holder, known.set(key, text));
}

/** How a number of an object was written, where JavaScript would write it in another way. */
export function numberText(holder: object, key: string): string | undefined {
  return texts.get(holder)?.get(key);
}

/** Let numbers that one object has of another be written as in that one. */
export function carryNumberTexts(from: object, to: object, keys: readonly string[]): void {
  if (!texts.has(from)) return;
  for (const key of keys) {
    const text = numberText(from, key);
    if (text !== undefined) noteText(to, key, text);
  }
}

/** Write JSON text; `indent` as `JSON.stringify` takes it. */
export function writeJson(value: unknown, indent?: number): string {
  const text = stringify(value, textAsRead, indent);
  if (text === undefined) throw new TypeError("there is nothing to write");
  return text;
}

function textAsRead(this: unknown, key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  const text = typeof this === "object" && this !== null ? texts.get(this)?.get(key) : undefined;
  return text !== undefined && Number(text) === value ? new LosslessNumber(text) : value;
}
