import { lookUp, type Json } from "@/model/document";
import type { InputType, JsonSchema } from "@/state/nodeTypes";

export type WidgetKind =
  | "number"
  | "slider"
  | "menu"
  | "text"
  | "prompt"
  | "switch"
  | "colour"
  | "seed"
  | "image"
  | "file"
  | "mask"
  | "curve"
  | "body"
  | "json";

/** Heights in pixels of the canvas, which `geometry.ts` counts with. */
const HEIGHTS: Partial<Record<WidgetKind, number>> = {
  prompt: 100,
  image: 140,
  mask: 140,
  curve: 132,
  json: 28,
};
const PLAIN_HEIGHT = 28;

export function widgetHeight(kind: WidgetKind): number {
  return HEIGHTS[kind] ?? PLAIN_HEIGHT;
}

/** The schema of the value itself: `anyOf` with null, or with a second way of writing it, gives the first. */
export function valueSchema(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  const first = anyOf?.find((option) => option.type !== "null" && option.not === undefined);
  return first ? { ...first, ...rest } : schema;
}

const BY_TYPE: Record<string, (schema: JsonSchema) => WidgetKind> = {
  boolean: () => "switch",
  integer: () => "number",
  number: (schema) => (isShare(schema) ? "slider" : "number"),
  string: () => "text",
  array: () => "json",
  object: () => "json",
};

const BY_WIDGET: Record<string, (widget: NonNullable<JsonSchema["x-widget"]>) => WidgetKind> = {
  text: (widget) => (widget.multiline ? "prompt" : "text"),
  seed: () => "seed",
  colour: () => "colour",
  slider: () => "slider",
  mask: () => "mask",
  curve: () => "curve",
  image: () => "image",
};

/** Which widget edits an input, by what the server says of its values; `undefined` where only a wire can feed it. */
export function widgetKind(input: InputType): WidgetKind | undefined {
  if (input.socketOnly) return undefined;
  if (input.body !== undefined) return "body";
  const schema = valueSchema(input.schema);
  const widget = schema["x-widget"];
  const named = widget && lookUp(BY_WIDGET, widget.kind)?.(widget);
  if (named) return named;
  if (schema["x-folder"] !== undefined) return schema["x-folder"] === "inputs" ? "image" : "file";
  if (schema.enum !== undefined) return "menu";
  const only = Array.isArray(schema.type) ? schema.type.find((type) => type !== "null") : schema.type;
  return lookUp(BY_TYPE, only ?? "")?.(schema);
}

function isShare(schema: JsonSchema): boolean {
  return schema.minimum !== undefined && schema.maximum !== undefined && schema.maximum - schema.minimum <= 2;
}

/** What an input holds when the workflow says nothing. */
export function defaultValue(input: InputType): Json {
  if (input.default !== undefined) return input.default;
  const schema = valueSchema(input.schema);
  if (schema.enum?.[0] !== undefined) return schema.enum[0];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 0;
  if (schema.type === "boolean") return false;
  return schema.type === "array" ? [] : "";
}
