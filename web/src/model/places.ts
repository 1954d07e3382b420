/** Finding nodes by the ids that messages give them, also inside subgraphs and the bodies of loops. */
import { NO_BODIES, usesOf, type BodyInputs } from "./bodies";
import { lookUp, nodeOf, subgraphName, type Graph, type Scope, type Workflow } from "./document";

/** A graph on the way in. */
export interface Step {
  readonly scope: string;
  /** What stands before the ids of its nodes: `outer/` inside the node `outer`. */
  readonly prefix: string;
}

export interface Place {
  /** The graph that holds the node, and its id there. */
  readonly scope: Scope;
  readonly id: string;
  readonly path: readonly Step[];
  /** Of a node in the body of a loop: which iteration, from 1, and what the run calls the loop. */
  readonly iteration?: { readonly number: number; readonly loop: string };
}

interface Options {
  readonly bodyInputs?: BodyInputs;
  /** Runs number what is inside loops: `loop/sampler-3` is `sampler` in its third iteration. Issues do not. */
  readonly numbered?: boolean;
}

interface Here extends Required<Options> {
  readonly workflow: Workflow;
  readonly graph: Graph;
  readonly path: readonly Step[];
  /** What was read of the id, with the slash. */
  readonly read: string;
  /** The loop that this is inside. */
  readonly loop?: string;
}

const DEEPEST = 50;

/** Find a node by its id, such as `upscale/sampler` for one inside a subgraph. */
export function placeOf(
  workflow: Workflow,
  id: string,
  { bodyInputs = NO_BODIES, numbered = false }: Options = {},
): Place | undefined {
  return find({ workflow, graph: workflow, path: [], read: "", bodyInputs, numbered }, id);
}

function find(here: Here, rest: string): Place | undefined {
  const whole = nodeNamed(here, rest);
  if (whole !== undefined) return placed(here, whole);
  if (here.path.length > DEEPEST) return undefined;
  for (let slash = rest.indexOf("/"); slash > 0; slash = rest.indexOf("/", slash + 1)) {
    const found = findInside(here, rest.slice(0, slash), rest.slice(slash + 1));
    if (found) return found;
  }
  return undefined;
}

function findInside(here: Here, head: string, rest: string): Place | undefined {
  const id = nodeNamed(here, head)?.id;
  const entry = id === undefined ? undefined : nodeOf(here.graph, id);
  for (const { name, input } of entry ? usesOf(entry, here.bodyInputs) : []) {
    const graph = lookUp(here.workflow.subgraphs, name);
    if (graph === undefined) continue;
    const step = { scope: name, prefix: `${here.path.at(-1)?.prefix ?? ""}${id}/` };
    const loop = input === undefined ? here.loop : here.read + head;
    const read = `${here.read}${head}/`;
    const inside = { ...here, graph, path: [...here.path, step], read, ...(loop !== undefined && { loop }) };
    const found = find(inside, rest);
    if (found) return found;
  }
  return undefined;
}

interface Named {
  readonly id: string;
  readonly number?: number;
}

/** The node of a graph that a part of an id means; in a loop, a number follows all but subgraph nodes. */
function nodeNamed({ graph, numbered, loop }: Here, part: string): Named | undefined {
  const entry = nodeOf(graph, part);
  if (!numbered || loop === undefined) return entry && { id: part };
  const [, id = "", number] = /^(.*)-(\d+)$/s.exec(part) ?? [];
  const inner = nodeOf(graph, id);
  if (inner && subgraphName(inner.type) === undefined) return { id, number: Number(number) };
  return entry && subgraphName(entry.type) !== undefined ? { id: part } : undefined;
}

function placed({ path, loop }: Here, { id, number }: Named): Place {
  const iteration = number === undefined || loop === undefined ? undefined : { number, loop };
  return { scope: path.at(-1)?.scope ?? null, id, path, ...(iteration && { iteration }) };
}
