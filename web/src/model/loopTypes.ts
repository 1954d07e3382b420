/** The types that go round in a loop: the rules of `nodegraph/loops.py`. */
import { fitBody, type BodyInterface } from "./bodies";
import { lookUp, type Link, type SubgraphEntry } from "./document";
import {
  ANY,
  assignable,
  bind,
  isOpen,
  socketType,
  substitute,
  unionOf,
  variablesIn,
  wiring,
  type Bases,
  type SocketType,
} from "./sockets";
import type { Typing } from "./typing";

/** Types of what comes from outside, by the place that it comes to. */
export type Fed = ReadonlyMap<string, SocketType>;

/** An input or an output of a node, as a key. */
export const placeKey = (node: string, socket: string): string => JSON.stringify([node, socket]);

/** A body that a loop runs. */
export interface Body {
  readonly name: string;
  readonly interface: BodyInterface;
  readonly graph: SubgraphEntry;
  readonly look: (fed: Fed) => Typing | undefined;
}

/** What an input of a body is given, and where that goes. */
interface Taken {
  readonly type: SocketType;
  readonly places: readonly Link[];
}

type Bindings = ReadonlyMap<string, SocketType>;

/** How many iterations the types are followed through before a type that still changes counts as any. */
const ROUNDS = 4;

/** What a loop gives the inputs of its body. */
export function takenBy({ interface: wanted, graph }: Body): Taken[] {
  const types = { ...wanted.takes, ...wanted.mayTake };
  return Object.entries(fitBody(wanted, graph).inputs).map(([name, own]) => ({
    type: socketType(types[name] ?? "Any"),
    places: lookUp(graph.inputs, own) ?? [],
  }));
}

/** Follow the types through one iteration after the other, and add what the body gives to `bindings`. */
export function loopBindings(body: Body, bindings: Map<string, SocketType>, bases: Bases): void {
  const fedBack = takenBy(body).flatMap(({ type }) => variablesIn(type));
  const current = new Map(bindings);
  let found: Bindings = new Map();
  for (let round = 0; round < ROUNDS; round += 1) {
    found = newlyGiven(body, current, bases);
    for (const [name, type] of found) {
      bindings.set(name, unionOf([bindings.get(name) ?? type, type]));
      current.set(name, type);
    }
    if (!fedBack.some((name) => found.has(name))) return;
  }
  for (const name of found.keys()) bindings.set(name, ANY); // such as a list of a list of a list of ...
}

/** What is fed into the body in one iteration; nothing is said of what does not fit, or may be anything. */
export function feed(body: Body, bindings: Bindings, bases: Bases): Fed {
  const declared = body.look(new Map());
  const fed = new Map<string, SocketType>();
  for (const { type, places } of takenBy(body))
    for (const [node, input] of places) {
      const given = substitute(type, bindings);
      const fits = declared && wiring(given, declared.input(node, input), bases) !== undefined;
      if (fits && !isOpen(given)) fed.set(placeKey(node, input), given);
    }
  return fed;
}

/** The type variables that stand for something else, after what the body gives, than was known. */
function newlyGiven(body: Body, current: Bindings, bases: Bases): Bindings {
  const inner = body.look(feed(body, current, bases));
  const found = new Map<string, SocketType>();
  for (const [name, own] of Object.entries(fitBody(body.interface, body.graph).outputs)) {
    const [source, gives] = [
      lookUp(body.graph.outputs, own),
      socketType(body.interface.gives[name] ?? "Any"),
    ];
    const given = source && inner ? inner.output(source) : ANY;
    if (assignable(given, substitute(gives, new Map()), bases)) bind(gives, given, found);
  }
  const isNews = ([name, type]: readonly [string, SocketType]) => {
    const known = current.get(name);
    return known === undefined || !assignable(type, known, bases);
  };
  return new Map([...found].filter(isNews));
}
