/** Socket types by name, and which output may meet which input: the rules of `nodegraph/sockets.py`. */

import type { Json } from "./document";

export type SocketType =
  | { readonly kind: "any" | "none"; readonly name: string }
  | { readonly kind: "var" | "class"; readonly name: string }
  | { readonly kind: "list"; readonly name: string; readonly element: SocketType }
  | { readonly kind: "union"; readonly name: string; readonly members: readonly SocketType[] };

/** By the name of a class, the classes it derives from. */
export type Bases = Readonly<Record<string, readonly string[]>>;

export const ANY: SocketType = { kind: "any", name: "Any" };
export const NONE: SocketType = { kind: "none", name: "None" };
const VARIABLE = /^[A-Z][0-9]?$/;
const parsed = new Map<string, SocketType>();

/** Read a type as it is named, such as `Image`, `list[Image]` or `int | None`. */
export function socketType(name: string): SocketType {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const type = readType(name);
  parsed.set(name, type);
  return type;
}

function readType(name: string): SocketType {
  const members = splitUnion(name);
  if (members.length > 1) return unionOf(members.map(socketType));
  const plain = name.trim();
  if (plain === "Any") return ANY;
  if (plain === "None") return NONE;
  if (plain.startsWith("list[") && plain.endsWith("]")) return listOf(socketType(plain.slice(5, -1)));
  return { kind: VARIABLE.test(plain) ? "var" : "class", name: plain };
}

/** The parts between the bars that stand outside brackets. */
function splitUnion(name: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < name.length; at += 1) {
    if (name[at] === "[") depth += 1;
    else if (name[at] === "]") depth -= 1;
    else if (name[at] === "|" && depth === 0) {
      parts.push(name.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, name.slice(start)];
}

export function listOf(element: SocketType): SocketType {
  return { kind: "list", name: `list[${element.name}]`, element };
}

/** The union: flattened, without repeats; `Any` swallows the rest. */
export function unionOf(types: readonly SocketType[]): SocketType {
  const flat = new Map<string, SocketType>();
  for (const type of types)
    for (const member of type.kind === "union" ? type.members : [type]) flat.set(member.name, member);
  if (flat.has("Any")) return ANY;
  const members = [...flat.values()];
  const [first] = members;
  if (first !== undefined && members.length === 1) return first;
  return { kind: "union", name: members.map((member) => member.name).join(" | "), members };
}

export function isOpen(type: SocketType): boolean {
  return type.kind === "any" || type.kind === "var";
}

/** Whether some part of a type may be anything. */
export function isPartlyOpen(type: SocketType): boolean {
  if (type.kind === "list") return isPartlyOpen(type.element);
  return type.kind === "union" ? type.members.some(isPartlyOpen) : isOpen(type);
}

/** The names of the type variables in a type. */
export function variablesIn(type: SocketType): readonly string[] {
  if (type.kind === "list") return variablesIn(type.element);
  if (type.kind === "union") return type.members.flatMap(variablesIn);
  return type.kind === "var" ? [type.name] : [];
}

/** Of types that something must all be assignable to, the one that is so itself; the first where none is. */
export function narrowest(types: readonly SocketType[], bases: Bases): SocketType | undefined {
  const [first, ...others] = types;
  return others.reduce(
    (least, type) =>
      least && assignable(type, least, bases) && !assignable(least, type, bases) ? type : least,
    first,
  );
}

/** The type of a value that stands in a workflow; `text` is how a number was written, where that is not plain. */
export function typeOfValue(value: Json, text?: string): SocketType {
  if (value === null) return NONE;
  if (Array.isArray(value))
    return listOf(value.length > 0 ? unionOf(value.map((item) => typeOfValue(item as Json))) : ANY);
  if (typeof value === "number")
    return socketType(Number.isInteger(value) && text === undefined ? "int" : "float");
  return socketType(VALUE_TYPES[typeof value] ?? "dict");
}

const VALUE_TYPES: Readonly<Record<string, string>> = { string: "str", boolean: "bool", bigint: "int" };

function classFits(source: string, target: string, bases: Bases): boolean {
  if (source === "bool" || target === "bool") return source === target;
  if (source === target || (Object.hasOwn(bases, source) && bases[source]?.includes(target))) return true;
  return target === "float" && classFits(source, "int", bases);
}

/** Whether every value of `source` may be given where `target` is declared. */
export function assignable(source: SocketType, target: SocketType, bases: Bases = {}): boolean {
  if (source.name === target.name || isOpen(source) || isOpen(target)) return true;
  if (source.kind === "union") return source.members.every((member) => assignable(member, target, bases));
  if (target.kind === "union") return target.members.some((member) => assignable(source, member, bases));
  if (source.kind === "list" && target.kind === "list")
    return assignable(source.element, target.element, bases);
  if (source.kind === "class" && target.kind === "class") return classFits(source.name, target.name, bases);
  return false;
}

/** `direct`; `map`: a list meets one of its elements, and the node runs once for each. */
export type Wiring = "direct" | "map";

export function wiring(source: SocketType, target: SocketType, bases: Bases = {}): Wiring | undefined {
  if (assignable(source, target, bases)) return "direct";
  if (source.kind === "list" && assignable(source.element, target, bases)) return "map";
  return undefined;
}

/** Whether several outputs may be gathered into an input: those that take a list. */
export function gathers(target: SocketType): boolean {
  return target.kind === "list" || (target.kind === "union" && target.members.some(gathers));
}

/** Why a wire is refused, in words; `undefined` where it is not. */
export function refusal(source: SocketType, target: SocketType, bases: Bases = {}): Refusal | undefined {
  if (wiring(source, target, bases) !== undefined) return undefined;
  const given = { given: source.name, wanted: target.name };
  if (source.kind === "union") {
    const misfit = source.members.find((member) => !assignable(member, target, bases));
    if (misfit?.kind === "none") return { ...given, reason: "mayBeNone" };
    return { ...given, reason: "mayBeOther", misfit: misfit?.name ?? source.name };
  }
  return { ...given, reason: "otherType" };
}

/** The strings catalogue has the sentence for each reason. */
export interface Refusal {
  readonly reason: "otherType" | "mayBeNone" | "mayBeOther" | "cycle" | "full" | "self";
  readonly given: string;
  readonly wanted: string;
  readonly misfit?: string;
}

/** What the type variables of a declared type stand for, given the type that meets it. */
export function bind(declared: SocketType, actual: SocketType, bindings: Map<string, SocketType>): void {
  if (declared.kind === "var") {
    const known = bindings.get(declared.name);
    bindings.set(declared.name, known === undefined ? actual : unionOf([known, actual]));
  } else if (declared.kind === "list" && actual.kind === "list") {
    bind(declared.element, actual.element, bindings);
  } else if (declared.kind === "union") {
    for (const member of declared.members) bind(member, actual, bindings);
  }
}

/** The type with its variables replaced; an unbound one becomes `Any`. */
export function substitute(declared: SocketType, bindings: ReadonlyMap<string, SocketType>): SocketType {
  if (declared.kind === "var") return bindings.get(declared.name) ?? ANY;
  if (declared.kind === "list") return listOf(substitute(declared.element, bindings));
  if (declared.kind === "union")
    return unionOf(declared.members.map((member) => substitute(member, bindings)));
  return declared;
}

/** The type that decides how a socket is coloured: the element of a list, the first real member of a union. */
export function colourName(type: SocketType): string {
  if (type.kind === "list") return colourName(type.element);
  if (type.kind !== "union") return isOpen(type) ? "Any" : type.name;
  const real = type.members.find((member) => member.kind !== "none");
  return real ? colourName(real) : "Any";
}
