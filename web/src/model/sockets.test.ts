import { expect, test } from "vitest";
import {
  assignable,
  bind,
  colourName,
  gathers,
  refusal,
  socketType,
  substitute,
  wiring,
  type SocketType,
} from "./sockets";

const type = socketType;

test.each([
  ["Image", "Image", "direct"],
  ["Image", "Any", "direct"],
  ["Any", "Image", "direct"],
  ["T", "Image", "direct"],
  ["int", "float", "direct"],
  ["float", "int", undefined],
  ["bool", "int", undefined],
  ["int", "bool", undefined],
  ["bool", "float", undefined],
  ["Mask", "Mask | None", "direct"],
  ["Mask | None", "Mask", undefined],
  ["int | str", "str | int | None", "direct"],
  ["list[Image]", "Image", "map"],
  ["list[int]", "list[float]", "direct"],
  ["list[list[int]]", "list[int]", "map"],
  ["Image", "list[Image]", undefined],
  ["Image", "Image | list[Image]", "direct"],
  ["list[Image] | None", "Image", undefined],
  ["Latent", "Image", undefined],
] as const)("%s into %s: %s", (source, target, how) => {
  expect(wiring(type(source), type(target))).toBe(how);
});

test("a subclass may be given where its base is wanted, not the other way round", () => {
  const bases = { Photo: ["Image"], MyInt: ["int"] };
  expect(assignable(type("Photo"), type("Image"), bases)).toBe(true);
  expect(assignable(type("Image"), type("Photo"), bases)).toBe(false);
  expect(assignable(type("MyInt"), type("float"), bases)).toBe(true);
  expect(assignable(type("Photo"), type("Image"))).toBe(false);
});

test("unions are split outside brackets only", () => {
  expect(type("list[int | None] | str").kind).toBe("union");
  expect(type("list[int | None]").kind).toBe("list");
});

test("a refusal says what is wrong", () => {
  expect(refusal(type("Latent"), type("Image"))).toMatchObject({ reason: "otherType", given: "Latent" });
  expect(refusal(type("Mask | None"), type("Mask"))).toMatchObject({ reason: "mayBeNone" });
  expect(refusal(type("int | str"), type("int"))).toMatchObject({ reason: "mayBeOther", misfit: "str" });
  expect(refusal(type("int"), type("float"))).toBeUndefined();
});

test("type variables are bound by what meets them", () => {
  const bindings = new Map<string, SocketType>();
  bind(type("list[T]"), type("list[Image]"), bindings);
  bind(type("T"), type("Mask"), bindings);
  expect(substitute(type("list[T] | None"), bindings).name).toBe("list[Image | Mask] | None");
  expect(substitute(type("U"), bindings).name).toBe("Any");
});

test("lists gather, and have the colour of what they hold", () => {
  expect(gathers(type("Image | list[Image]"))).toBe(true);
  expect(gathers(type("Image"))).toBe(false);
  expect(colourName(type("list[Image] | None"))).toBe("Image");
});
