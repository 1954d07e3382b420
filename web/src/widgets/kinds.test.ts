import { describe, expect, it } from "vitest";
import type { InputType, JsonSchema } from "@/state/nodeTypes";
import { defaultValue, widgetKind } from "./kinds";

const input = (schema: JsonSchema, fields: Partial<InputType> = {}): InputType => ({
  name: "x",
  type: "T",
  required: true,
  description: "",
  socketOnly: false,
  schema,
  ...fields,
});

describe("the widget of an input", () => {
  it.each<[string | undefined, JsonSchema]>([
    ["number", { type: "integer", minimum: 1, maximum: 10_000 }],
    ["slider", { type: "number", minimum: 0, maximum: 1 }],
    ["number", { type: "number" }],
    ["switch", { type: "boolean" }],
    ["menu", { type: "string", enum: ["a", "b"] }],
    ["text", { type: "string" }],
    ["prompt", { type: "string", "x-widget": { kind: "text", multiline: true } }],
    ["seed", { type: "integer", "x-widget": { kind: "seed" } }],
    ["image", { type: "string", "x-folder": "inputs" }],
    ["file", { type: "string", "x-folder": "checkpoints" }],
    ["json", { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] }],
    ["colour", { anyOf: [{ type: "string" }, { type: "integer" }], "x-widget": { kind: "colour" } }],
    ["text", { type: "string", "x-widget": { kind: "constructor" } }],
    [undefined, {}],
  ])("%s", (kind, schema) => expect(widgetKind(input(schema))).toBe(kind));

  it("is none where only a wire can feed it", () => {
    expect(widgetKind(input({ type: "string" }, { socketOnly: true }))).toBeUndefined();
  });
});

it("takes the default of the input, else the smallest that is allowed", () => {
  expect(defaultValue(input({ type: "integer", minimum: 16 }))).toBe(16);
  expect(defaultValue(input({ type: "integer", minimum: 16 }, { default: 512 }))).toBe(512);
  expect(defaultValue(input({ type: "string", enum: ["lanczos"] }))).toBe("lanczos");
});
