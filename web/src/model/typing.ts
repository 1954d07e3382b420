/** The types that outputs really have in a graph: generic and mapped nodes differ from their declaration. */
import {
  isOneLink,
  linkList,
  lookUp,
  nodeOf,
  type Graph,
  type Link,
  type Links,
  type NodeEntry,
} from "./document";
import {
  ANY,
  bind,
  gathers,
  listOf,
  refusal,
  socketType,
  substitute,
  unionOf,
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
  readonly inputs: readonly Named[];
  readonly outputs: readonly Named[];
}

export type SignatureOf = (id: string, entry: NodeEntry) => Signature | undefined;

/** The types of one graph as it stands; each output is worked out once. */
export class Typing {
  private readonly known = new Map<string, SocketType>();
  private readonly pending = new Set<string>();

  constructor(
    private readonly graph: Graph,
    private readonly signatureOf: SignatureOf,
    private readonly bases: Bases = {},
  ) {}

  /** The type of an output; `Any` where its node is missing or part of a circle. */
  output([id, name]: Link): SocketType {
    const key = JSON.stringify([id, name]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.pending.has(key)) return ANY;
    this.pending.add(key);
    const type = this.workOut(id, name);
    this.pending.delete(key);
    this.known.set(key, type);
    return type;
  }

  /** The declared type of an input. */
  input(id: string, name: string): SocketType {
    const found = this.signature(id)?.inputs.find((input) => input.name === name);
    return found ? socketType(found.type) : ANY;
  }

  /** The type that meets an input: that of its wire, or the list that several make. */
  links(links: Links): SocketType {
    return isOneLink(links)
      ? this.output(links)
      : listOf(unionOf(linkList(links).map((link) => this.output(link))));
  }

  /** Why an output must not be wired into an input; `undefined` where it may. */
  refusal(source: Link, target: string, input: string): Refusal | undefined {
    const [given, wanted] = [this.output(source), this.input(target, input)];
    const names = { given: given.name, wanted: wanted.name };
    if (source[0] === target) return { ...names, reason: "self" };
    if (closesCycle(this.graph, source[0], target)) return { ...names, reason: "cycle" };
    if (gathers(wanted) && refusal(listOf(given), wanted, this.bases) === undefined) return undefined;
    return refusal(given, wanted, this.bases);
  }

  private signature(id: string): Signature | undefined {
    const entry = nodeOf(this.graph, id);
    return entry && this.signatureOf(id, entry);
  }

  private workOut(id: string, name: string): SocketType {
    const signature = this.signature(id);
    const declared = signature?.outputs.find((output) => output.name === name);
    if (signature === undefined || declared === undefined) return ANY;
    const bindings = new Map<string, SocketType>();
    let mapped = false;
    for (const input of signature.inputs) mapped = this.meet(id, input, bindings) || mapped;
    const type = substitute(socketType(declared.type), bindings);
    return mapped ? listOf(type) : type;
  }

  /** Note what the wire of an input binds; whether the node runs once per element because of it. */
  private meet(id: string, input: Named, bindings: Map<string, SocketType>): boolean {
    const links = lookUp(nodeOf(this.graph, id)?.links, input.name);
    if (links === undefined || linkList(links).length === 0) return false;
    const [given, wanted] = [this.links(links), socketType(input.type)];
    const mapped = wiring(given, wanted, this.bases) === "map";
    bind(wanted, mapped && given.kind === "list" ? given.element : given, bindings);
    return mapped;
  }
}
