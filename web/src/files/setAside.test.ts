import { expect, test } from "vitest";
import { readSnapshots } from "./setAside";
import type { Snapshot } from "./snapshots";

const snapshot = (key: string, text: string, saved?: string): Snapshot => ({
  key,
  window: "own",
  text,
  saved,
  place: undefined,
  etag: undefined,
  index: 0,
  front: false,
  time: 0,
});
const GOOD = '{"format":"nodegraph","nodes":{"a":{"type":"Integer"}}}';

test("one that is damaged is set aside, and the others open", () => {
  const damaged = ["{garb", "null", '{"format":"nodegraph","nodes":{"a":{"type":"Integer","links":null}}}'];
  const kept = [snapshot("one", GOOD), ...damaged.map((text) => snapshot(text, text)), snapshot("two", GOOD)];
  const { good, bad } = readSnapshots(kept);
  expect(good.map(([, { key }]) => key)).toEqual(["one", "two"]);
  expect(bad.map(({ snapshot: { text } }) => text)).toEqual(damaged);
  expect(bad[2]?.why).toBe("nodes.a.links: must be an object, not null");
});

test("what cannot be drawn is left out of what opens", () => {
  const text = '{"format":"nodegraph","nodes":{"a":{"type":"Integer","ui":{"title":{"x":1}}}}}';
  const { good, dropped } = readSnapshots([snapshot("one", text, "{garb")]);
  expect(good[0]?.[1].history.present.nodes?.["a"]?.ui).toEqual({});
  expect(good[0]?.[1].saved).toBeUndefined();
  expect(dropped).toEqual(["nodes.a.ui.title: must be text, not an object"]);
});

test("steps that are damaged are forgotten, and the workflow opens", () => {
  const damaged = ["{garb", "null", '{"back":5,"forth":[]}'];
  const kept = damaged.map((history, index) => ({ ...snapshot(`${index}`, GOOD), history }));
  const { good, bad } = readSnapshots(kept);
  expect(bad).toEqual([]);
  expect(good.map(([, { history }]) => history.past)).toEqual(damaged.map(() => []));
});
