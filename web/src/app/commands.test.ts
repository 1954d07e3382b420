// @vitest-environment jsdom
import { afterEach, expect, it, vi } from "vitest";
import { handleKey, keyName, registerCommands, type Command } from "./commands";

const press = (key: string, held: KeyboardEventInit = {}, target: Element = document.body) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...held });
  Object.defineProperty(event, "target", { value: target });
  handleKey(event);
  return event;
};

let remove = () => {};
afterEach(() => remove());

function register(keys: string[], where: Command["where"]) {
  const run = vi.fn();
  remove = registerCommands([{ id: "test", label: "run", keys, where, run }]);
  return run;
}

it.each([
  ["m", { ctrlKey: true }, "Ctrl+M"],
  ["m", { metaKey: true }, "Ctrl+M"],
  ["C", { shiftKey: true }, "Shift+C"],
  ["+", { shiftKey: true }, "+"],
  ["Enter", { shiftKey: true }, "Shift+Enter"],
])("%s %o is %s", (key, held, name) =>
  expect(keyName(new KeyboardEvent("keydown", { key, ...held }))).toBe(name),
);

it("a key of the canvas does nothing while someone types", () => {
  const run = register(["Delete"], "canvas");
  expect(press("Delete", {}, document.createElement("textarea")).defaultPrevented).toBe(false);
  expect(run).not.toHaveBeenCalled();
  expect(press("Delete").defaultPrevented).toBe(true);
  expect(run).toHaveBeenCalledOnce();
});

it.each([
  ["button", 1],
  ["textarea", 0],
])("a key that works unless someone types, on a %s", (tag, times) => {
  const run = register(["?"], "unlessTyping");
  press("?", { shiftKey: true }, document.createElement(tag));
  expect(run).toHaveBeenCalledTimes(times);
});

it("Ctrl+Enter runs from within a field too", () => {
  const run = register(["Ctrl+Enter"], "everywhere");
  press("Enter", { ctrlKey: true }, document.createElement("textarea"));
  expect(run).toHaveBeenCalledOnce();
});
