/** Turning nodes into the body of a loop. */
import type { BodyInterface } from "./bodies";
import {
  editAt,
  graphAt,
  isOneLink,
  linkList,
  lookUp,
  nodesOf,
  withField,
  type Graph,
  type Link,
  type Links,
  type NodeEntry,
  type Scope,
  type SubgraphEntry,
  type Workflow,
} from "./document";
import { freshId } from "./edit";
import {
  findEntrances,
  findExits,
  innerNodes,
  middleOf,
  obstacle,
  replaceByOne,
  type Made,
} from "./makeSubgraph";
import { assignable, type Bases, type SocketType } from "./sockets";
import { freshName } from "./subgraphs";
import { Typing, type Named } from "./typing";

/** A type of node that runs a body which takes one thing and gives one. */
export interface LoopType {
  readonly id: string;
  readonly version: number;
  /** Its inputs that name the body and that feed it, and the output of what the body gave. */
  readonly body: string;
  readonly input: string;
  readonly output: string;
  /** What the body takes and gives. */
  readonly takes: string;
  readonly gives: string;
  /** Whether the body takes what it gave before. */
  readonly feedsBack: boolean;
  /** Whether it takes one after the other from a list. */
  readonly overList: boolean;
}

interface LoopInput extends Named {
  readonly body?: BodyInterface;
}

interface Declared {
  readonly id: string;
  readonly version: number;
  readonly inputs: readonly LoopInput[];
  readonly outputs: readonly Named[];
}

/** What loops a type of node makes; nothing for one whose body takes or gives several things. */
export function loopType({ id, version, inputs, outputs }: Declared): LoopType | undefined {
  const [named, ...others] = inputs.filter(({ body }) => body !== undefined);
  const [taken, ...moreTaken] = Object.entries(named?.body?.takes ?? {});
  const [given, ...moreGiven] = Object.entries(named?.body?.gives ?? {});
  const [output, ...moreOutputs] = outputs;
  if (!named || !taken || !given || !output) return undefined;
  if (others.length + moreTaken.length + moreGiven.length + moreOutputs.length > 0) return undefined;
  const [[takes, type], [gives, back]] = [taken, given];
  const input = inputs.find((one) => one.type === type || one.type === `list[${type}]`);
  if (input === undefined) return undefined;
  const sides = { body: named.name, input: input.name, output: output.name, takes, gives };
  return { id, version, ...sides, feedsBack: type === back, overList: input.type !== type };
}

type SignatureOf = (
  id: string,
  entry: NodeEntry,
) =>
  | { readonly inputs: readonly (Named & { required?: boolean })[]; readonly outputs: readonly Named[] }
  | undefined;

interface Types {
  readonly signatureOf: SignatureOf;
  readonly bases?: Bases;
}

/** Why nodes cannot become a body: a loop takes one thing and gives one. */
export type Hindrance = "circle" | "severalOutputs" | "noOutput" | "nothingFits";

/**
 * Put nodes into the body of a loop that takes their place.
 *
 * One of the wires into them becomes what the loop gives its body: one that takes what they give, where that is
 * fed back; a list, where the loop goes through one. A body sees nothing of what is outside, so the nodes before
 * the other wires are put into it as well; those that nothing else needs are moved.
 */
export function makeLoop(
  workflow: Workflow,
  scope: Scope,
  ids: readonly string[],
  loop: LoopType,
  wish: string,
  { signatureOf, bases = {} }: Types,
): Made | Hindrance {
  const graph = graphAt(workflow, scope) ?? {};
  const inside = new Set(ids.filter((id) => lookUp(graph.nodes, id) !== undefined));
  if (inside.size === 0) return "nothingFits";
  if (obstacle(graph, inside)) return "circle";
  const exits = exitsOf(graph, inside, signatureOf);
  if (typeof exits === "string") return exits;
  const typing = new Typing(graph, signatureOf, bases);
  const ways = [...findEntrances(graph, inside), ...openInputs(graph, inside, signatureOf)];
  const [found] = exits.flatMap((exit) => {
    const way = entranceOf(ways, typing.output(exit), loop, typing, bases);
    return way ? [{ exit, way }] : [];
  });
  if (found === undefined) return "nothingFits";
  const { exit, way } = found;
  const before = upstream(graph, inside, way);
  const body: SubgraphEntry = {
    inputs: { [loop.takes]: way.targets },
    outputs: { [loop.gives]: exit },
    nodes: innerNodes(graph, new Set([...before, ...inside]), [
      { ...way, name: loop.takes, links: way.links ?? [] },
    ]),
  };
  const name = freshName(Object.keys(workflow.subgraphs ?? {}), wish);
  const id = freshId(Object.keys(nodesOf(graph)), loop.id);
  const links = loop.overList ? asList(way.links, typing) : way.links;
  const node = loopNode(loop, name, links, graph, inside);
  const gone = new Set([...inside, ...onlyFor(graph, inside, before, way.links)]);
  const defined = { ...workflow, subgraphs: { ...workflow.subgraphs, [name]: body } };
  const left = [{ name: loop.output, source: exit }];
  return { workflow: editAt(defined, scope, (old) => replaceByOne(old, gone, id, node, left)), id, name };
}

/** One thing is a list of one, to which others may be added. */
function asList(links: Links | undefined, typing: Typing): Links | undefined {
  return links && isOneLink(links) && typing.links(links).kind !== "list" ? [links] : links;
}

function loopNode(
  loop: LoopType,
  name: string,
  links: Links | undefined,
  graph: Graph,
  inside: ReadonlySet<string>,
): NodeEntry {
  const inputs = { [loop.body]: name };
  const node = { type: loop.id, version: loop.version, inputs, ui: { position: middleOf(graph, inside) } };
  return withField<NodeEntry, "links">(node, "links", links && { [loop.input]: links });
}

/** The one output that is used outside; where none is, those that may be given back, the last first. */
function exitsOf(
  graph: Graph,
  inside: ReadonlySet<string>,
  signatureOf: SignatureOf,
): readonly Link[] | "severalOutputs" | "noOutput" {
  const [first, ...others] = findExits(graph, inside);
  if (others.length > 0) return "severalOutputs";
  if (first !== undefined) return [first.source];
  const used = new Set([...inside].flatMap((id) => sourcesOf(graph, id)));
  const lastFirst = [...inside]
    .reverse()
    .sort((one, other) => Number(used.has(one)) - Number(used.has(other)));
  const outputs = lastFirst.flatMap((id) => {
    const entry = lookUp(graph.nodes, id);
    return ((entry && signatureOf(id, entry)?.outputs) ?? []).map(({ name }): Link => [id, name]);
  });
  return outputs.length > 0 ? outputs : "noOutput";
}

interface Way {
  readonly targets: readonly (readonly [node: string, input: string])[];
  /** Absent where nothing is wired there yet. */
  readonly links?: Links;
}

/** Where the loop feeds the body. */
function entranceOf(
  ways: readonly Way[],
  given: SocketType,
  loop: LoopType,
  typing: Typing,
  bases: Bases,
): Way | undefined {
  const wanted = ([node, input]: Link) => typing.input(node, input);
  const takes = (target: Link) => !loop.feedsBack || assignable(given, wanted(target), bases);
  const fitting = ways.filter(({ targets }) => targets.every(takes));
  const best = loop.overList
    ? fitting.find(({ links }) => links !== undefined && typing.links(links).kind === "list")
    : fitting.find(({ targets: [first] }) => first && wanted(first).name === given.name);
  return best ?? fitting[0];
}

/** Inputs inside that need something and have nothing. */
function openInputs(graph: Graph, inside: ReadonlySet<string>, signatureOf: SignatureOf): Way[] {
  return [...inside].flatMap((id) => {
    const entry = lookUp(graph.nodes, id);
    const inputs = (entry && signatureOf(id, entry)?.inputs) ?? [];
    const open = inputs.filter(
      ({ name, required }) =>
        required && lookUp(entry?.links, name) === undefined && lookUp(entry?.inputs, name) === undefined,
    );
    return open.map(({ name }): Way => ({ targets: [[id, name]] }));
  });
}

/** Nodes outside that feed those inside by other ways than the one of the loop. */
function upstream(graph: Graph, inside: ReadonlySet<string>, way: Way): Set<string> {
  const fed = new Set(way.targets.map((target) => JSON.stringify(target)));
  const found = new Set<string>();
  for (const id of inside)
    for (const [input, links] of Object.entries(lookUp(graph.nodes, id)?.links ?? {}))
      if (!fed.has(JSON.stringify([id, input]))) for (const [source] of linkList(links)) found.add(source);
  for (const id of found) for (const source of sourcesOf(graph, id)) found.add(source);
  return new Set([...found].filter((id) => !inside.has(id)));
}

/** Those of `before` that nothing else needs: neither a node that stays nor the loop itself. */
function onlyFor(
  graph: Graph,
  inside: ReadonlySet<string>,
  before: ReadonlySet<string>,
  links: Links | undefined,
): Set<string> {
  const gone = new Set([...inside, ...before]);
  const kept = new Set(linkList(links).map(([source]) => source));
  for (const id of Object.keys(nodesOf(graph)))
    if (!gone.has(id)) for (const source of sourcesOf(graph, id)) if (before.has(source)) kept.add(source);
  for (const id of kept) for (const source of sourcesOf(graph, id)) kept.add(source);
  return new Set([...before].filter((id) => !kept.has(id)));
}

function sourcesOf(graph: Graph, id: string): string[] {
  return Object.values(lookUp(graph.nodes, id)?.links ?? {}).flatMap((links) =>
    linkList(links).map(([source]) => source),
  );
}
