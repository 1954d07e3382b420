import { expect, it } from "vitest";
import { callRoll } from "./rollCall";

it("pages that are open find each other, and one that has no id yet is nobody", async () => {
  const [one, other, third] = ["one", "other", "third"].map(() => callRoll("test"));
  one?.answerAs("one");
  other?.answerAs("other");
  expect(await third?.present()).toEqual(new Set(["one", "other"]));
  expect(await one?.present()).toEqual(new Set(["one", "other"]));
});
