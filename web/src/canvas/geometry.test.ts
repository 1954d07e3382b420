import { describe, expect, it } from "vitest";
import type { NodeEntry } from "@/model/document";
import type { InputType } from "@/state/nodeTypes";
import { sampleType } from "@/state/sampleType";
import { cardGeometry, CARD_WIDTH, HEADER, PADDING, ROW } from "./geometry";
import { cardRows } from "./rows";

const input = (name: string, fields: Partial<InputType> = {}): InputType => ({
  name,
  type: "Image",
  required: true,
  description: "",
  socketOnly: true,
  schema: {},
  ...fields,
});
const steps = input("steps", { type: "int", socketOnly: false, schema: { type: "integer" } });
const TYPE = sampleType("Blend", {
  inputs: [input("one"), steps, input("two")],
  outputs: [{ name: "image", type: "Image", description: "" }],
});
const BARE: NodeEntry = { type: "Blend" };

describe("rows of a card", () => {
  it("puts sockets before widgets, inputs beside outputs", () => {
    const rows = cardRows(BARE, TYPE);
    expect(rows.map(({ input: left, output }) => [left?.name, output?.name])).toEqual([
      ["one", "image"],
      ["two", undefined],
      ["steps", undefined],
    ]);
    expect(rows.map(({ widget }) => widget)).toEqual([undefined, undefined, "number"]);
  });

  it("shows a wired input as a socket in its place", () => {
    const rows = cardRows({ ...BARE, links: { steps: ["a", "value"] } }, TYPE);
    expect(rows.at(-1)).toMatchObject({ key: "steps", height: ROW });
    expect(rows.at(-1)?.widget).toBeUndefined();
  });

  it("shows a widget as a socket where a person wants it so", () => {
    expect(cardRows({ ...BARE, ui: { sockets: ["steps"] } }, TYPE).at(-1)?.widget).toBeUndefined();
  });
});

describe("geometry of a card", () => {
  it("tells where every socket is without measuring", () => {
    const { width, sockets } = cardGeometry(BARE, TYPE);
    const first = HEADER + PADDING + ROW / 2;
    expect(width).toBe(CARD_WIDTH);
    expect(sockets).toContainEqual({ id: "one", type: "target", x: 0, y: first });
    expect(sockets).toContainEqual({ id: "image", type: "source", x: CARD_WIDTH, y: first });
    expect(sockets).toContainEqual({ id: "two", type: "target", x: 0, y: first + ROW });
  });

  it("puts all sockets of a collapsed card on its header", () => {
    const { height, sockets } = cardGeometry({ ...BARE, ui: { collapsed: true, size: [300, 0] } }, TYPE);
    expect(height).toBe(HEADER);
    expect(new Set(sockets.map(({ y }) => y))).toEqual(new Set([HEADER / 2]));
    expect(sockets.find(({ id }) => id === "image")?.x).toBe(300);
  });
});
