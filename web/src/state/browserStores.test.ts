import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, test, vi } from "vitest";
import { editsTable, isRecord, readJson, textsIn, useKeeping } from "./browserStores";
import { readSettings } from "./settings";

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  useKeeping.setState({ losesEdits: false, losesRest: false });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const denied = () => {
  throw new DOMException("denied", "SecurityError");
};

it("a store that is denied holds nothing and takes nothing, which is told", () => {
  const texts = textsIn(denied);
  expect(texts.read("a")).toBeUndefined();
  expect(texts.write("a", "b")).toBe(false);
  texts.remove("a");
  expect(texts.names()).toEqual([]);
  expect(useKeeping.getState()).toEqual({ losesEdits: false, losesRest: true });
});

it.each(["{garb", "null", "[]"])("%s where a record should be is removed", (text) => {
  const removeItem = vi.fn();
  const texts = textsIn(() => ({ getItem: () => text, removeItem }) as unknown as Storage);
  expect(readJson(texts, "a", isRecord)).toBeUndefined();
  expect(removeItem).toHaveBeenCalledWith("a");
});

test.each([
  ["is not there", () => vi.stubGlobal("indexedDB", undefined)],
  ["may not be opened", () => vi.stubGlobal("indexedDB", { open: denied })],
])("a database that %s keeps nothing, which is told until it does", async (_, hurt) => {
  const table = editsTable("edits", isRecord);
  hurt();
  expect(await table.all()).toEqual([]);
  expect(await table.put("a", {})).toBe(false);
  await table.drop("a");
  expect(useKeeping.getState().losesEdits).toBe(true);
  vi.stubGlobal("indexedDB", new IDBFactory());
  expect(await table.put("a", { n: 1 })).toBe(true);
  expect(await table.all()).toEqual([{ n: 1 }]);
  expect(useKeeping.getState().losesEdits).toBe(false);
});

it("does not wait for ever for a database that says nothing", async () => {
  vi.stubGlobal("indexedDB", { open: () => ({}) });
  vi.useFakeTimers();
  const found = editsTable("edits", isRecord).all();
  await vi.advanceTimersByTimeAsync(6000);
  expect(await found).toEqual([]);
  expect(useKeeping.getState().losesEdits).toBe(true);
});

const STANDARD = { theme: "system", snap: true, minimap: true, runOnChange: false, batchCount: 1 };

test.each([
  [{ batchCount: -1 }, {}],
  [{ batchCount: "abc", theme: "pink", snap: "no" }, {}],
  [{ batchCount: 1.5, set: 1 }, {}],
  [null, {}],
  [
    { batchCount: 7, theme: "dark", snap: false },
    { batchCount: 7, theme: "dark", snap: false },
  ],
])("of kept settings %o what is right is used", (kept, used) => {
  expect(readSettings(kept)).toEqual({ ...STANDARD, ...used });
});
