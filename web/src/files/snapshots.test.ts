import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";
import { readText } from "@/model/reading";
import { textsIn, type Texts } from "@/state/browserStores";
import {
  allSnapshots,
  dropSnapshot,
  forgetLeft,
  keepSnapshot,
  leaveSnapshots,
  sortOut,
  takeLeft,
  textOf,
  toKeep,
  type Snapshot,
} from "./snapshots";

const snapshot = (part: Partial<Snapshot>): Snapshot => ({
  key: "k",
  window: "own",
  text: "{}",
  saved: undefined,
  place: undefined,
  etag: undefined,
  index: 0,
  front: false,
  time: 0,
  ...part,
});

const ALIVE = new Set(["own", "open"]);
const keysOf = (snapshots: readonly Snapshot[]) => snapshots.map(({ key }) => key);

test("snapshots are kept in the order of their tabs until they are dropped", async () => {
  await keepSnapshot(snapshot({ key: "b", index: 1 }));
  await keepSnapshot(snapshot({ key: "a", index: 0, text: '{"n":1}' }));
  await keepSnapshot(snapshot({ key: "a", index: 0, text: '{"n":2}' }));
  expect((await allSnapshots()).map(({ key, text }) => key + text)).toEqual(['a{"n":2}', "b{}"]);
  await dropSnapshot("a");
  expect(await allSnapshots()).toHaveLength(1);
});

test("own tabs come back, unsaved ones of closed windows too, those of open windows stay there", () => {
  const all = [
    snapshot({ key: "own-saved", saved: "{}" }),
    snapshot({ key: "lost", window: "closed" }),
    snapshot({ key: "lost-saved", window: "closed", saved: "{}" }),
    snapshot({ key: "elsewhere", window: "open" }),
  ];
  const { open, closed, forget } = sortOut(all, "own", ALIVE, 20);
  expect(keysOf(open)).toEqual(["own-saved", "lost"]);
  expect(keysOf(closed)).toEqual([]);
  expect(keysOf(forget)).toEqual(["lost-saved"]);
});

test("of what was closed the newest can be opened again, unless an open window has it", () => {
  const all = [
    snapshot({ key: "third", closed: 3, saved: "{}" }),
    snapshot({ key: "first", closed: 1 }),
    snapshot({ key: "second", closed: 2, window: "closed" }),
    snapshot({ key: "elsewhere", closed: 4, window: "open" }),
  ];
  const { open, closed, forget } = sortOut(all, "own", ALIVE, 2);
  expect(keysOf(open)).toEqual([]);
  expect(keysOf(closed)).toEqual(["second", "third"]);
  expect(keysOf(forget)).toEqual(["first"]);
});

test("what is kept as it is is not written again", () => {
  const kept = new Map(["same", "edited"].map((key) => [key, snapshot({ key })]));
  const now = [
    snapshot({ key: "same", time: 9 }),
    snapshot({ key: "edited", text: '{"n":1}' }),
    snapshot({ key: "new" }),
  ];
  expect(keysOf(toKeep(now, kept))).toEqual(["edited", "new"]);
});

test("a workflow comes back from its text with every digit", () => {
  const workflow = {
    format: "nodegraph",
    nodes: { s: { type: "K", inputs: { seed: 2n ** 64n - 1n } } },
  } as const;
  expect(readText(textOf(workflow)).workflow).toEqual(workflow);
});

const textAt = (n: number) => JSON.stringify({ n });

function place(room = Infinity): Texts {
  const kept = new Map<string, string>();
  return textsIn(() => {
    const store = {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem(name: string, text: string) {
        if (text.length > room) throw new DOMException("full", "QuotaExceededError");
        kept.set(name, text);
      },
      removeItem: (name: string) => kept.delete(name),
    };
    return Object.assign(Object.create(store) as object, Object.fromEntries(kept)) as Storage;
  });
}

test("what a page left in a hurry is kept by the next, unless something newer is", async () => {
  await keepSnapshot(snapshot({ key: "older", text: textAt(1), time: 1 }));
  await keepSnapshot(snapshot({ key: "newer", text: textAt(3), time: 3 }));
  const texts = place();
  const left = ["older", "newer", "new"].map((key) => snapshot({ key, text: textAt(2), time: 2 }));
  leaveSnapshots("own", left, texts);
  await takeLeft(texts);
  const found = Object.fromEntries((await allSnapshots()).map(({ key, text }) => [key, text]));
  expect(found).toMatchObject({ older: textAt(2), newer: textAt(3), new: textAt(2) });
  await dropSnapshot("new");
  await takeLeft(texts);
  expect((await allSnapshots()).map(({ key }) => key)).not.toContain("new");
});

test("where there is little room, what can be undone goes before the workflow", async () => {
  const texts = place();
  const history = "x".repeat(1_000_001);
  leaveSnapshots("own", [snapshot({ key: "left", text: "the workflow", history, time: 1 })], texts);
  await takeLeft(texts);
  const found = (await allSnapshots()).find(({ key }) => key === "left");
  expect(found?.text).toBe("the workflow");
  expect(found?.history).toBeUndefined();
});

test("a database without room keeps the workflow alone", async () => {
  const put = vi.spyOn(IDBObjectStore.prototype, "put");
  put.mockImplementationOnce(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await keepSnapshot(snapshot({ key: "full", text: "the workflow", history: "[]" }));
  put.mockRestore();
  const found = (await allSnapshots()).find(({ key }) => key === "full");
  expect(found).toMatchObject({ text: "the workflow" });
  expect(found?.history).toBeUndefined();
});

test("what can be undone is news to keep, also where the workflow is the same", () => {
  const kept = new Map([["k", snapshot({ history: "[1]" })]]);
  expect(toKeep([snapshot({ history: "[2]" })], kept)).toHaveLength(1);
  expect(toKeep([snapshot({ history: "[1]" })], kept)).toHaveLength(0);
});

test("what was kept after all, or had no room, is not taken", async () => {
  const narrow = place(40);
  leaveSnapshots("own", [snapshot({ key: "large" })], narrow);
  const roomy = place();
  leaveSnapshots("own", [snapshot({ key: "kept" })], roomy);
  forgetLeft("own", roomy);
  for (const one of [narrow, roomy]) await takeLeft(one);
  const keys = (await allSnapshots()).map(({ key }) => key);
  expect(keys.filter((key) => ["large", "kept"].includes(key))).toEqual([]);
});

test.each(["{garb", "null", "5", '[{"key":"bad"}]'])(
  "what was left as %s is removed, and hinders nothing",
  async (text) => {
    const texts = place();
    texts.write("nodegraph.left.x", text);
    await takeLeft(texts);
    expect(texts.names()).toEqual([]);
    expect((await allSnapshots()).map(({ key }) => key)).not.toContain("bad");
  },
);

test("what the database cannot take stays where it was left", async () => {
  const texts = place();
  leaveSnapshots("own", [snapshot({ key: "precious", time: 9 })], texts);
  const full = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await takeLeft(texts);
  full.mockRestore();
  expect(texts.names()).toEqual(["nodegraph.left.own"]);
  await takeLeft(texts);
  expect((await allSnapshots()).map(({ key }) => key)).toContain("precious");
});

test("what is no snapshot is dropped; a text that is no workflow is for who opens it to tell", async () => {
  await keepSnapshot(snapshot({ key: "whole" }));
  await keepSnapshot({ ...snapshot({ key: "cut" }), text: '{"nodes":' });
  await keepSnapshot({ key: "odd" } as Snapshot);
  const keys = (await allSnapshots()).map(({ key }) => key);
  expect(keys).toEqual(expect.arrayContaining(["whole", "cut"]));
  expect(keys).not.toContain("odd");
});
