import fc from "fast-check";
import { expect, test } from "vitest";
import { freePlace } from "./freePlace";
import type { Box } from "./groups";

const SIZE = [100, 60] as const;

test("a free place is taken as it is", () => {
  expect(freePlace([5, 5], SIZE, [])).toEqual([5, 5]);
  expect(freePlace([0, 0], SIZE, [{ x: 200, y: 0, width: 100, height: 60 }])).toEqual([0, 0]);
});

test("below a card that is in the way, then below the next", () => {
  const first: Box = { x: 0, y: 0, width: 100, height: 60 };
  const second = freePlace([0, 0], SIZE, [first]);
  expect(second).toEqual([0, 84]);
  const below = { x: 0, y: 84, width: 100, height: 60 };
  const [x, y] = freePlace([0, 0], SIZE, [first, below]);
  expect([x, y]).toEqual([0, -84]);
});

test("it is never on another card", () => {
  const box = fc.record({
    x: fc.integer({ min: -300, max: 300 }),
    y: fc.integer({ min: -300, max: 300 }),
    width: fc.integer({ min: 20, max: 300 }),
    height: fc.integer({ min: 20, max: 300 }),
  });
  fc.assert(
    fc.property(fc.array(box, { maxLength: 12 }), (taken) => {
      const [x, y] = freePlace([0, 0], SIZE, taken);
      for (const other of taken)
        expect(
          x >= other.x + other.width ||
            other.x >= x + 100 ||
            y >= other.y + other.height ||
            other.y >= y + 60,
        ).toBe(true);
    }),
  );
});
