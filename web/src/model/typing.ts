/**
 * The types that sockets really have in a graph: those of generic and mapped nodes, of subgraphs and of loops differ
 * from what is declared. The rules are those of `nodegraph/validation.py` and `nodegraph/loops.py`.
 */
import type { BodyInterface } from "./bodies";
import {
  isOneLink,
  linkList,
  lookUp,
  nodeOf,
  subgraphName,
  type Graph,
  type Link,
  type Links,
  type NodeEntry,
  type SubgraphEntry,
} from "./document";
import { consumersIn, type Consumer } from "./consumers";
import { numberText } from "./json";
import { feed, loopBindings, placeKey, takenBy, type Body, type Fed } from "./loopTypes";
import {
  ANY,
  bind,
  gathers,
  isOpen,
  isPartlyOpen,
  listOf,
  narrowest,
  refusal,
  socketType,
  substitute,
  typeOfValue,
  unionOf,
  variablesIn,
  wiring,
  type Bases,
  type Refusal,
  type SocketType,
} from "./sockets";
import { closesCycle } from "./wires";

export interface Named {
  readonly name: string;
  readonly type: string;
}

/** What of a node type decides over wires. */
export interface Signature {
  readonly inputs: readonly (Named & { readonly body?: BodyInterface })[];
  readonly outputs: readonly Named[];
}

export type SignatureOf = (id: string, entry: NodeEntry) => Signature | undefined;

/** A subgraph, and the types of its nodes. */
export interface Inside {
  readonly graph: SubgraphEntry;
  readonly signatureOf: SignatureOf;
}

/** Finds the subgraphs of the file by name. */
export type FindInside = (name: string) => Inside | undefined;

const NOTHING_FED: Fed = new Map();
/** Looks at one subgraph; after that nothing is said of what is fed to it, so that loops in loops stay cheap. */
const MOST_LOOKS = 16;

/** The subgraphs of a file, and what was found in them with which types fed. */
export class Insides {
  private readonly looks = new Map<string, Map<string, Typing>>();

  constructor(
    readonly find: FindInside,
    private readonly bases: Bases = {},
  ) {}

  /** The types in a subgraph; nothing where it is not there, or holds itself. */
  look(name: string, fed: Fed, within: readonly string[]): Typing | undefined {
    const inside = within.includes(name) ? undefined : this.find(name);
    if (inside === undefined) return undefined;
    const known = this.looks.get(name) ?? new Map<string, Typing>();
    this.looks.set(name, known);
    const told = known.size < MOST_LOOKS ? fed : NOTHING_FED;
    const key = JSON.stringify([within, [...told].map(([place, type]) => [place, type.name])]);
    const around = { insides: this, fed: told, within: [...within, name] };
    const typing = known.get(key) ?? new Typing(inside.graph, inside.signatureOf, this.bases, around);
    known.set(key, typing);
    return typing;
  }
}

/** What is around a graph. */
export interface Around {
  readonly insides?: Insides;
  readonly fed?: Fed;
  /** Names of the subgraphs that it is in. */
  readonly within?: readonly string[];
}

/** What the inputs of a node tell: what its type variables stand for, and whether it runs once per element. */
interface Meeting {
  readonly bindings: Map<string, SocketType>;
  readonly mapped: boolean;
}

/** The types of one graph as it stands; each is worked out once. */
export class Typing {
  private readonly known = new Map<string, SocketType>();
  private readonly pending = new Set<string>();
  private consumers: ReadonlyMap<string, readonly Consumer[]> | undefined;

  constructor(
    private readonly graph: Graph,
    private readonly signatureOf: SignatureOf,
    private readonly bases: Bases = {},
    private readonly around: Around = {},
  ) {}

  /** The type of an output; `Any` where its node is missing or part of a circle. */
  output([id, name]: Link): SocketType {
    return this.once(`output ${placeKey(id, name)}`, ANY, () => this.workOut(id, name));
  }

  /** The declared type of an input. */
  input(id: string, name: string): SocketType {
    const found = this.signature(id)?.inputs.find((input) => input.name === name);
    return found ? socketType(found.type) : ANY;
  }

  /** What an input takes: as declared, or, where that is anything, what becomes of it is wired to. */
  wanted(id: string, name: string): SocketType {
    const declared = this.input(id, name);
    if (!isPartlyOpen(declared)) return declared;
    const find = () => this.wantedInside(id, name, declared) ?? this.wantedBehind(id, declared) ?? declared;
    return this.once(`wanted ${placeKey(id, name)}`, declared, find);
  }

  /** What an input is shown as: where it takes anything, what it is given, else what it is wanted for. */
  shownInput(id: string, name: string): SocketType {
    const declared = this.input(id, name);
    if (!isPartlyOpen(declared)) return declared;
    const given = this.given(id, name);
    return given === undefined || isPartlyOpen(given) ? this.wanted(id, name) : given;
  }

  /** What an output is shown as: where nothing is known of it, what it is wanted for. */
  shownOutput(link: Link): SocketType {
    const type = this.output(link);
    return isOpen(type) ? (this.wantedOf(link) ?? type) : type;
  }

  /** The type that meets an input: that of its wire, or the list that several make. */
  links(links: Links): SocketType {
    return isOneLink(links)
      ? this.output(links)
      : listOf(unionOf(linkList(links).map((link) => this.output(link))));
  }

  /** Why an output must not be wired into an input; `undefined` where it may. */
  refusal(source: Link, target: string, input: string): Refusal | undefined {
    const [given, wanted] = [this.output(source), this.wanted(target, input)];
    const names = { given: given.name, wanted: wanted.name };
    if (source[0] === target) return { ...names, reason: "self" };
    if (closesCycle(this.graph, source[0], target)) return { ...names, reason: "cycle" };
    if (gathers(wanted) && refusal(listOf(given), wanted, this.bases) === undefined) return undefined;
    return refusal(given, wanted, this.bases);
  }

  /** The types in a subgraph that a node stands for, or runs, with what it is fed there. */
  inside(id: string, name: string): Typing | undefined {
    const signature = this.signature(id);
    if (signature === undefined) return undefined;
    const body = this.bodiesOf(id, signature).find((one) => one.name === name);
    if (body === undefined) return this.look(name, this.fedInto(id, name));
    return body.look(feed(body, this.meet(id, signature).bindings, this.bases));
  }

  private once(key: string, meanwhile: SocketType, find: () => SocketType): SocketType {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.pending.has(key)) return meanwhile;
    this.pending.add(key);
    const type = find();
    this.pending.delete(key);
    this.known.set(key, type);
    return type;
  }

  private signature(id: string): Signature | undefined {
    const entry = nodeOf(this.graph, id);
    return entry && this.signatureOf(id, entry);
  }

  private workOut(id: string, name: string): SocketType {
    const signature = this.signature(id);
    const declared = signature?.outputs.find((output) => output.name === name);
    if (signature === undefined || declared === undefined) return ANY;
    const inner = this.subgraphOf(id);
    const source = inner && lookUp(inner.graph.outputs, name);
    if (inner && source) return this.look(inner.name, this.fedInto(id, inner.name))?.output(source) ?? ANY;
    const { bindings, mapped } = this.meet(id, signature);
    const type = substitute(socketType(declared.type), bindings);
    return mapped ? listOf(type) : type;
  }

  private meet(id: string, signature: Signature): Meeting {
    const bindings = new Map<string, SocketType>();
    let mapped = false;
    for (const input of signature.inputs) mapped = this.meetInput(id, input, bindings) || mapped;
    for (const body of this.bodiesOf(id, signature)) loopBindings(body, bindings, this.bases);
    return { bindings, mapped };
  }

  /** Note what the value of an input binds; whether the node runs once per element because of it. */
  private meetInput(id: string, { name, type }: Named, bindings: Map<string, SocketType>): boolean {
    const [given, wanted] = [this.given(id, name), socketType(type)];
    if (given === undefined) return false;
    const mapped = this.isWired(id, name) && wiring(given, wanted, this.bases) === "map";
    bind(wanted, mapped && given.kind === "list" ? given.element : given, bindings);
    return mapped;
  }

  private isWired(id: string, name: string): boolean {
    return this.around.fed?.has(placeKey(id, name)) === true || this.linksOf(id, name) !== undefined;
  }

  private linksOf(id: string, name: string): Links | undefined {
    const links = lookUp(nodeOf(this.graph, id)?.links, name);
    return linkList(links).length === 0 ? undefined : links;
  }

  /** The type of what an input has: from outside, by wire, or as a value. */
  private given(id: string, name: string): SocketType | undefined {
    const fed = this.around.fed?.get(placeKey(id, name));
    const links = this.linksOf(id, name);
    if (fed || links) return fed ?? (links && this.links(links));
    const inputs = nodeOf(this.graph, id)?.inputs;
    const value = lookUp(inputs, name);
    return inputs && value !== undefined && value !== null
      ? typeOfValue(value, numberText(inputs, name))
      : undefined;
  }

  private subgraphOf(id: string): (Inside & { readonly name: string }) | undefined {
    const name = subgraphName(nodeOf(this.graph, id)?.type ?? "");
    const inside = name === undefined ? undefined : this.around.insides?.find(name);
    return name !== undefined && inside ? { ...inside, name } : undefined;
  }

  private look(name: string, fed: Fed = NOTHING_FED): Typing | undefined {
    return this.around.insides?.look(name, fed, this.around.within ?? []);
  }

  /** The types of what a node that stands for a subgraph feeds into it. */
  private fedInto(id: string, name: string): Fed {
    const inputs = this.around.insides?.find(name)?.graph.inputs ?? {};
    const fed = new Map<string, SocketType>();
    for (const [outer, places] of Object.entries(inputs)) {
      const given = this.given(id, outer);
      if (given && !isOpen(given)) for (const place of places) fed.set(placeKey(...place), given);
    }
    return fed;
  }

  private bodiesOf(id: string, { inputs }: Signature): Body[] {
    const entry = nodeOf(this.graph, id);
    return inputs.flatMap(({ name: input, body }) => {
      const name = lookUp(entry?.inputs, input);
      const inside = typeof name === "string" ? this.around.insides?.find(name) : undefined;
      if (body === undefined || typeof name !== "string" || inside === undefined) return [];
      return [{ name, interface: body, graph: inside.graph, look: (fed: Fed) => this.look(name, fed) }];
    });
  }

  /** What an input of a subgraph, or of a loop, leads to inside. */
  private wantedInside(id: string, name: string, declared: SocketType): SocketType | undefined {
    const inner = this.subgraphOf(id);
    if (inner) return this.wantedAt(this.look(inner.name), lookUp(inner.graph.inputs, name) ?? []);
    const signature = this.signature(id);
    const bindings = new Map<string, SocketType>();
    for (const body of signature ? this.bodiesOf(id, signature) : [])
      for (const { type, places } of takenBy(body)) {
        const wanted = this.wantedAt(this.look(body.name), places);
        if (wanted) bind(type, wanted, bindings);
      }
    return this.boundTo(declared, bindings);
  }

  private wantedAt(typing: Typing | undefined, places: readonly Link[]): SocketType | undefined {
    const types = typing ? places.map((place) => typing.wanted(...place)) : [];
    return narrowest(
      types.filter((type) => !isPartlyOpen(type)),
      this.bases,
    );
  }

  /** What the outputs of a node that have the type of an input are wired to. */
  private wantedBehind(id: string, declared: SocketType): SocketType | undefined {
    const bindings = new Map<string, SocketType>();
    for (const { name, type } of this.signature(id)?.outputs ?? []) {
      const wanted = variablesIn(declared).length > 0 ? this.wantedOf([id, name]) : undefined;
      if (wanted) bind(socketType(type), wanted, bindings);
    }
    return this.boundTo(declared, bindings);
  }

  private boundTo(declared: SocketType, bindings: Map<string, SocketType>): SocketType | undefined {
    const type = substitute(declared, bindings);
    return isPartlyOpen(type) ? undefined : type;
  }

  /** What all that an output is wired to takes. */
  private wantedOf([id, name]: Link): SocketType | undefined {
    this.consumers ??= consumersIn(this.graph);
    const types = (this.consumers.get(placeKey(id, name)) ?? []).flatMap(({ node, input, gathered }) => {
      const wanted = this.wanted(node, input);
      if (gathered) return wanted.kind === "list" ? [wanted.element] : [];
      return [wanted];
    });
    return narrowest(
      types.filter((type) => !isPartlyOpen(type)),
      this.bases,
    );
  }
}
