/** What decides the result of a node: itself and all before it, without how any of it is looked at. */
import { linkList, lookUp, nodeOf, subgraphName, type NodeEntry, type Workflow } from "./document";
import { writeJson } from "./json";

/** The same number for the same text, as long as the page is open. */
const numbers = new Map<string, number>();

function numberOf(text: string): number {
  const number = numbers.get(text) ?? numbers.size + 1;
  numbers.set(text, number);
  return number;
}

const meanings = new WeakMap<Workflow, Map<string, number>>();

/**
 * A number that two nodes share if they mean the same; 0 for one that is not there.
 *
 * Of a path such as `outer/inner` it is that of the outer node, which holds all that is inside.
 */
export function meaningOf(workflow: Workflow, path: string): number {
  const known = meanings.get(workflow) ?? new Map<string, number>();
  meanings.set(workflow, known);
  const [id = ""] = path.split("/");
  return meaningIn(workflow, id, known);
}

/** Without recursion: chains of nodes are longer than the stack is deep. A cycle counts as nothing. */
function meaningIn(workflow: Workflow, wanted: string, known: Map<string, number>): number {
  const waiting = [wanted];
  const begun = new Set<string>();
  for (let id = waiting.at(-1); id !== undefined; id = waiting.at(-1)) {
    const entry = nodeOf(workflow, id);
    const missing = begun.has(id)
      ? []
      : sourcesOf(entry).filter((source) => !known.has(source) && !begun.has(source));
    begun.add(id);
    waiting.push(...missing);
    if (missing.length > 0) continue;
    waiting.pop();
    if (!known.has(id)) known.set(id, entry === undefined ? 0 : numberOf(textOf(workflow, entry, known)));
  }
  return known.get(wanted) ?? 0;
}

function sourcesOf(entry: NodeEntry | undefined): string[] {
  return Object.values(entry?.links ?? {}).flatMap((links) => linkList(links).map(([source]) => source));
}

function textOf(workflow: Workflow, entry: NodeEntry, known: ReadonlyMap<string, number>): string {
  const links = sorted(entry.links).map(([input, ends]) => [
    input,
    linkList(ends).map(([source, output]) => [known.get(source) ?? 0, output]),
  ]);
  const inside = holdsGraphs(workflow, entry) ? withoutUi(workflow.subgraphs) : null;
  return writeJson([entry.type, entry.mode ?? null, sorted(entry.inputs), links, inside]);
}

const sorted = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));

/** Whether a node stands for a subgraph or names one that it runs. */
function holdsGraphs({ subgraphs }: Workflow, { type, inputs }: NodeEntry): boolean {
  if (subgraphName(type) !== undefined) return true;
  return Object.values(inputs ?? {}).some((value) => typeof value === "string" && !!lookUp(subgraphs, value));
}

/** Without what never influences a run. */
export function withoutUi(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value ?? null;
  const kept = Object.entries(value).filter(([key]) => key !== "ui");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutUi(inner)]));
}
