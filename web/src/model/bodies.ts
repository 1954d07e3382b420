/** Subgraphs that nodes run inside themselves: an input of `Repeat` names the one that it repeats. */
import { lookUp, mapValues, SUBGRAPH_PREFIX, subgraphName, type NodeEntry } from "./document";

/** Types by name. */
export type Types = Readonly<Record<string, string>>;

/** What a loop gives its body and wants back. Type variables are those of the loop's own sockets. */
export interface BodyInterface {
  readonly takes: Types;
  readonly mayTake: Types;
  readonly gives: Types;
}

/** By the type of a node, the names of its inputs that name a subgraph. */
export type BodyInputs = (type: string) => readonly string[];

/** For documents without loops. */
export const NO_BODIES: BodyInputs = () => [];

/** A subgraph that a node stands for; or, where an input names it, runs. */
export interface Use {
  readonly name: string;
  readonly input?: string;
}

export function usesOf(entry: NodeEntry, bodyInputs: BodyInputs): readonly Use[] {
  const own = subgraphName(entry.type);
  const bodies = bodyInputs(entry.type).flatMap((input): Use[] => {
    const name = lookUp(entry.inputs, input);
    return typeof name === "string" && name !== "" ? [{ name, input }] : [];
  });
  return own === undefined ? bodies : [{ name: own }, ...bodies];
}

/** The node with the subgraphs that it uses under their new names; the same node where none has one. */
export function renameUses(
  entry: NodeEntry,
  renamed: ReadonlyMap<string, string>,
  bodyInputs: BodyInputs,
): NodeEntry {
  const own = subgraphName(entry.type);
  const type = own === undefined ? entry.type : SUBGRAPH_PREFIX + (renamed.get(own) ?? own);
  const bodies = new Set(bodyInputs(entry.type));
  const inputs = mapValues(entry.inputs ?? {}, (value, input) =>
    bodies.has(input) && typeof value === "string" ? (renamed.get(value) ?? value) : value,
  );
  if (type === entry.type && (entry.inputs === undefined || inputs === entry.inputs)) return entry;
  return { ...entry, type, ...(entry.inputs && { inputs }) };
}
