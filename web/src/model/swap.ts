/** Putting a node of another type in the place of one, with as many wires and values as fit. */
import {
  linkList,
  mapValues,
  nodeOf,
  nodesOf,
  without,
  type Graph,
  type Json,
  type Links,
  type NodeEntry,
} from "./document";
import { updateNode } from "./edit";
import { assignable, socketType, wiring, type Bases } from "./sockets";
import { Typing, type Named, type Signature, type SignatureOf } from "./typing";
import { setLinks } from "./wires";

export interface NewType extends Signature {
  readonly id: string;
  readonly version: number;
  readonly pack: string;
}

/** Replace the type of a node: sockets are matched by name first, then by type in order. */
export function swapType<G extends Graph>(
  graph: G,
  id: string,
  next: NewType,
  signatureOf: SignatureOf,
  bases: Bases = {},
): G {
  const entry = nodeOf(graph, id);
  if (entry === undefined) return graph;
  const typing = new Typing(graph, signatureOf, bases);
  const swapped = updateNode(graph, id, (node) => rewired(node, next, typing, bases));
  const outputs = matchOutputs(signatureOf(id, entry)?.outputs ?? [], next.outputs, bases);
  return moveReaders(swapped, id, outputs);
}

function rewired(node: NodeEntry, next: NewType, typing: Typing, bases: Bases): NodeEntry {
  const { inputs = {}, links = {} } = node;
  const kept = without(node, ["type", "version", "pack", "inputs", "links"]);
  const values = Object.entries(inputs).filter(([name]) => next.inputs.some((input) => input.name === name));
  const placed = placeLinks(links, next.inputs, typing, bases);
  return {
    type: next.id,
    version: next.version,
    ...(next.pack && { pack: next.pack }),
    ...nonEmpty("inputs", Object.fromEntries(values) as Record<string, Json>),
    ...nonEmpty("links", placed),
    ...kept,
  };
}

function nonEmpty<T extends object>(name: string, record: T): Record<string, T> {
  return Object.keys(record).length > 0 ? { [name]: record } : {};
}

function placeLinks(
  links: Readonly<Record<string, Links>>,
  inputs: readonly Named[],
  typing: Typing,
  bases: Bases,
): Record<string, Links> {
  const fits = (input: Named, given: Links) =>
    wiring(typing.links(given), socketType(input.type), bases) !== undefined;
  const placed = new Map<string, Links>();
  const left: Links[] = [];
  for (const [name, given] of Object.entries(links)) {
    const input = inputs.find((one) => one.name === name);
    if (input && fits(input, given)) placed.set(name, given);
    else left.push(given);
  }
  for (const given of left) {
    const input = inputs.find((one) => !placed.has(one.name) && isExact(one, given, typing));
    if (input) placed.set(input.name, given);
  }
  return Object.fromEntries(placed);
}

/** By type alone only what is the same type is taken: a number must not land in just any field. */
function isExact(input: Named, given: Links, typing: Typing): boolean {
  return linkList(given).length > 0 && typing.links(given).name === socketType(input.type).name;
}

/** For each old output the name of the new one; outputs without a counterpart are not in it. */
function matchOutputs(before: readonly Named[], after: readonly Named[], bases: Bases): Map<string, string> {
  const match = new Map<string, string>();
  for (const old of before) {
    const fits = (one: Named) => assignable(socketType(one.type), socketType(old.type), bases);
    const found = after.find((one) => one.name === old.name && fits(one)) ?? after.find(fits);
    if (found) match.set(old.name, found.name);
  }
  return match;
}

function moveReaders<G extends Graph>(graph: G, id: string, outputs: ReadonlyMap<string, string>): G {
  const move = (links: Links): Links | undefined => {
    if (!linkList(links).some(([source]) => source === id)) return links;
    const moved = linkList(links).flatMap(([source, output]) => {
      const next = source === id ? outputs.get(output) : output;
      return next === undefined ? [] : [[source, next] as const];
    });
    return typeof links[0] === "string" ? moved[0] : moved.length > 0 ? moved : undefined;
  };
  const nodes = mapValues(nodesOf(graph), (node) => {
    let changed = node;
    for (const [input, links] of Object.entries(node.links ?? {})) {
      const moved = move(links);
      if (moved !== links && JSON.stringify(moved) !== JSON.stringify(links))
        changed = setLinks(changed, input, moved);
    }
    return changed;
  });
  return nodes === graph.nodes ? graph : { ...graph, nodes };
}

export interface Swap<T> {
  readonly type: T;
  /** The wires that would go: inputs of the node by their names, readers of it as `node.input`. */
  readonly dropped: readonly string[];
}

/** What may take the place of a node, those that keep most wires first, else in the order they come. */
export function swaps<T extends NewType>(
  graph: Graph,
  id: string,
  types: readonly T[],
  signatureOf: SignatureOf,
  bases: Bases = {},
): Swap<T>[] {
  const before = nodeOf(graph, id)?.type;
  return types
    .filter((type) => type.id !== before)
    .map((type) => ({ type, dropped: dropped(graph, swapType(graph, id, type, signatureOf, bases), id) }))
    .sort((one, other) => one.dropped.length - other.dropped.length);
}

function dropped(before: Graph, after: Graph, id: string): string[] {
  const kept = Object.values(nodeOf(after, id)?.links ?? {}).map((links) => JSON.stringify(links));
  const own = Object.entries(nodeOf(before, id)?.links ?? {}).flatMap(([name, links]) => {
    const at = kept.indexOf(JSON.stringify(links));
    if (at < 0) return [name];
    kept.splice(at, 1);
    return [];
  });
  const readers = Object.entries(nodesOf(before)).flatMap(([reader, node]) =>
    reader === id
      ? []
      : Object.entries(node.links ?? {}).flatMap(([name, links]) =>
          countFrom(links, id) > countFrom(nodeOf(after, reader)?.links?.[name], id)
            ? [`${reader}.${name}`]
            : [],
        ),
  );
  return [...own, ...readers];
}

function countFrom(links: Links | undefined, id: string): number {
  return linkList(links).filter(([source]) => source === id).length;
}
