import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson, writeJson } from "./json";

const WORKFLOWS = new URL("../../../workflows/", import.meta.url);
const files = readdirSync(WORKFLOWS).filter((name) => name.endsWith(".json"));

test.each(files)("%s is written as it was read", (name) => {
  const text = readFileSync(new URL(name, WORKFLOWS), "utf8");
  expect(`${writeJson(parseJson(text), 2)}\n`).toBe(text);
});

test("seeds beyond 2^53 keep every digit", () => {
  const read = parseJson('{"seed":18446744073709551615}');
  expect(read).toEqual({ seed: 18446744073709551615n });
  expect(writeJson(read)).toBe('{"seed":18446744073709551615}');
  expect(parseJson("18446744073709552")).toBe(18446744073709552n); // though JavaScript would write it so
});

test("numbers that JavaScript writes differently keep their text where nothing changed", () => {
  const text = '{"cfg":1.0,"tiny":1e-05,"list":[2.0,3],"inner":{"big":1E3}}';
  const read = parseJson(text) as { cfg: number };
  expect(read.cfg).toBe(1);
  expect(writeJson(read)).toBe(text);
  expect(writeJson({ ...read, cfg: 2 })).toContain('"cfg":2,');
});

test("a value that was changed is not written with its old text", () => {
  const read = parseJson('{"cfg":1.0}') as Record<string, number>;
  read["cfg"] = 7;
  expect(writeJson(read)).toBe('{"cfg":7}');
});

test("keys of every kind survive, also those that objects treat specially", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constant("constructor")), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value);
      expect(writeJson(parseJson(text))).toBe(text);
    }),
  );
});

test("broken text is refused with its place", () => {
  expect(() => parseJson('{"a":')).toThrow(SyntaxError);
});
