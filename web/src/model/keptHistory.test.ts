import fc from "fast-check";
import { expect, test } from "vitest";
import { workflows } from "./arbitrary";
import type { Workflow } from "./document";
import { setInput } from "./edit";
import { begin, commit, redo, undo, type History } from "./history";
import { parseJson, writeJson } from "./json";
import { MOST_CHARACTERS, MOST_STEPS, keptHistory, readKept } from "./keptHistory";

const step = (history: History<Workflow>, value: Workflow) => commit(history, value, { name: "edit" }, 0);
const parsed = (text: string) => parseJson(text) as unknown as Workflow;

/** What the next page has: the present by its text, the history by what was kept. */
function reloaded(history: History<Workflow>, saved?: Workflow) {
  return readKept(keptHistory(history, saved) ?? "", parsed(writeJson(history.present)));
}

function texts({ past, present, future }: History<Workflow>): string[] {
  return [...past.map(({ value }) => value), present, ...future.map(({ value }) => value)].map((value) =>
    writeJson(value),
  );
}

test("all steps back and forth come back, to the letter", () => {
  fc.assert(
    fc.property(fc.array(workflows, { minLength: 2, maxLength: 8 }), fc.nat(7), ([first, ...rest], back) => {
      let history = rest.reduce(step, begin(first as Workflow));
      for (let times = 0; times < back; times += 1) history = undo(history) ?? history;
      const { history: again } = reloaded(history);
      expect(texts(again)).toEqual(texts(history));
      expect(again.past).toHaveLength(history.past.length);
    }),
  );
});

test("numbers keep their text, and every digit, on both sides of a change", () => {
  const first = parsed(
    '{"nodes":{"k":{"type":"K","inputs":{"cfg":1.0,"denoise":1e-05,"seed":18446744073709551615}}}}',
  );
  const second = setInput(first, "k", "denoise", 0.5);
  const third = parsed('{"nodes":{"k":{"type":"K","inputs":{"cfg":2.0,"denoise":0.5,"seed":1}}}}');
  const fourth = parsed('{"nodes":{"k":{"type":"K","inputs":{"cfg":2,"denoise":0.5,"seed":1}}}}');
  const { history } = reloaded([second, third, fourth].reduce(step, begin(first)));
  expect(texts(history)).toEqual([first, second, third, fourth].map((value) => writeJson(value)));
});

test("the saved document is the very one of the history", () => {
  const [one, two, three] = [1, 2, 3].map((n) => parsed(`{"nodes":{"${n}":{"type":"K"}}}`)) as [
    Workflow,
    Workflow,
    Workflow,
  ];
  const history = step(step(begin(one), two), three);
  const undone = undo(history) ?? history;
  const back = reloaded(undone, one);
  expect(undo(back.history)?.present).toBe(back.saved);
  const forth = reloaded(undone, three);
  expect(redo(forth.history)?.present).toBe(forth.saved);
  const here = reloaded(undone, two);
  expect(here.saved).toBe(here.history.present);
  expect(reloaded(undone, { ...one }).saved).toBeUndefined();
});

test("of very many or very large steps the nearest are kept, in bounded room", () => {
  const large = (n: number) =>
    parsed(`{"nodes":{"t":{"type":"T","inputs":{"x":"${n}${"x".repeat(50_000)}"}}}}`);
  let history = begin(large(0));
  for (let n = 1; n < 20; n += 1) history = step(history, large(n));
  expect(keptHistory(history)?.length).toBeLessThan(MOST_CHARACTERS + 1000);
  const again = texts(reloaded(history).history);
  expect(again.length).toBeGreaterThan(3);
  expect(again).toEqual(texts(history).slice(-again.length));
});

test("a step of a large workflow takes no more than what it changed", () => {
  const nodes = Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [`n${n}`, { type: "K", inputs: { seed: n } }]),
  );
  let history = begin<Workflow>({ format: "nodegraph", nodes });
  for (let n = 0; n < 2 * MOST_STEPS; n += 1)
    history = step(history, setInput(history.present, `n${n}`, "seed", -1));
  const kept = keptHistory(history) ?? "";
  expect(kept.length).toBeLessThan(MOST_STEPS * 100);
  expect(readKept(kept, history.present).history.past).toHaveLength(MOST_STEPS);
});

test("nothing is kept where there is nothing to undo", () => {
  expect(keptHistory(begin({ format: "nodegraph" }))).toBeUndefined();
});
