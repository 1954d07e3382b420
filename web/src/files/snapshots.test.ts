import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import {
  allSnapshots,
  dropSnapshot,
  keepSnapshot,
  textOf,
  toForget,
  toRecover,
  workflowIn,
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

test("snapshots are kept in the order of their tabs until they are dropped", async () => {
  await keepSnapshot(snapshot({ key: "b", index: 1 }));
  await keepSnapshot(snapshot({ key: "a", index: 0, text: "{1}" }));
  await keepSnapshot(snapshot({ key: "a", index: 0, text: "{2}" }));
  expect((await allSnapshots()).map(({ key, text }) => key + text)).toEqual(["a{2}", "b{}"]);
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
  const alive = new Set(["own", "open"]);
  expect(toRecover(all, "own", alive).map(({ key }) => key)).toEqual(["own-saved", "lost"]);
  expect(toForget(all, "own", alive).map(({ key }) => key)).toEqual(["lost-saved"]);
});

test("a workflow comes back from its text with every digit", () => {
  const workflow = {
    format: "nodegraph",
    nodes: { s: { type: "K", inputs: { seed: 2n ** 64n - 1n } } },
  } as const;
  expect(workflowIn(textOf(workflow))).toEqual(workflow);
});
