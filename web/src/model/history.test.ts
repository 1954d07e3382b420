import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMIT, amend, begin, commit, redo, redoName, undo, undoName, type History } from "./history";

const step = (history: History<number>, value: number, merge?: string, now = 0) =>
  commit(history, value, { name: `to ${value}`, ...(merge && { merge }) }, now);

test("undoing every step comes back to the start, redoing to the end", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 50 }), (values) => {
      const end = values.reduce((history, value) => step(history, value), begin(0));
      let at = end;
      for (let back = undo(at); back; back = undo(at)) at = back;
      expect(at.present).toBe(0);
      for (let next = redo(at); next; next = redo(at)) at = next;
      expect(at.present).toBe(end.present);
      expect(at.past).toEqual(end.past);
    }),
  );
});

test("typing within a second is one step, after a pause another", () => {
  let history = step(begin(0), 1, "type", 0);
  history = step(history, 2, "type", 600);
  history = step(history, 3, "type", 1200);
  expect(undo(history)?.present).toBe(0);
  history = step(history, 4, "type", 2300);
  expect(undo(history)?.present).toBe(3);
  expect(undo(step(history, 5, "drag", 2301))?.present).toBe(4);
});

test("what was undone does not swallow new typing of the same kind", () => {
  const typed = step(begin(0), 1, "type", 0);
  const undone = undo(typed);
  expect(undone && undo(step(undone, 2, "type", 10))?.present).toBe(0);
});

test("steps have names, a new one drops the undone, the same document is no step", () => {
  const two = step(step(begin(0), 1), 2);
  expect(undoName(two)).toBe("to 2");
  const one = undo(two) ?? two;
  expect(redoName(one)).toBe("to 2");
  expect(redo(step(one, 9))).toBeUndefined();
  expect(step(two, 2)).toBe(two);
});

test("amending is no step, and the past is bounded", () => {
  expect(amend(begin(0), 5)).toEqual({ past: [], present: 5, future: [] });
  let history = begin(0);
  for (let value = 1; value <= LIMIT + 10; value += 1) history = step(history, value);
  expect(history.past).toHaveLength(LIMIT);
});
