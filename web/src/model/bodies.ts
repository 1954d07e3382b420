/** Subgraphs that nodes run inside themselves: an input of `Repeat` names the one that it repeats. */
import {
  lookUp,
  mapValues,
  SUBGRAPH_PREFIX,
  subgraphName,
  type NodeEntry,
  type SubgraphEntry,
} from "./document";

/** Types by name. */
export type Types = Readonly<Record<string, string>>;

/** What a loop gives its body and wants back. Type variables are those of the loop's own sockets. */
export interface BodyInterface {
  readonly takes: Types;
  readonly mayTake: Types;
  readonly gives: Types;
}

/** Names of a body's inputs and outputs by those of the interface. */
export interface Fit {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Which of a body's inputs and outputs are which of the interface; what it lacks is not there. */
export function fitBody({ takes, mayTake, gives }: BodyInterface, body: SubgraphEntry): Fit {
  const [inputs, outputs] = [Object.keys(body.inputs ?? {}), Object.keys(body.outputs ?? {})];
  const also = Object.keys(mayTake).filter((name) => inputs.includes(name));
  const own = inputs.filter((name) => !Object.hasOwn(mayTake, name));
  return {
    inputs: { ...pair(Object.keys(takes), own), ...pair(also, also) },
    outputs: pair(Object.keys(gives), outputs),
  };
}

/** Names that are the same; where one is wanted and one found, they are a pair whatever it is called. */
function pair(wanted: readonly string[], found: readonly string[]): Record<string, string> {
  const [[one], [other]] = [wanted, found];
  if (wanted.length === 1 && found.length === 1) return { [one as string]: other as string };
  return Object.fromEntries(wanted.filter((name) => found.includes(name)).map((name) => [name, name]));
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
