/**
 * The workflow document, exactly as it stands in a file (`nodegraph/workflow/schema.py`).
 *
 * Everything is read-only: an edit makes a new document that shares what it did not touch. Fields that are
 * not known here are carried along, so that opening and saving a file changes nothing in it.
 */

export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

export type Point = readonly [x: number, y: number];

/** An output, by the node that has it. */
export type Link = readonly [node: string, output: string];

/** What feeds an input: one output, or several that are gathered into a list. */
export type Links = Link | readonly Link[];

/** Muted nodes are left out of a run with all that needs them; bypassed ones hand on what comes into them. */
export type Mode = "muted" | "bypassed";

interface Extensible {
  readonly [unknown: string]: unknown;
}

/** What the editor keeps with a node; it never influences a run of the document as it stands. */
export interface NodeUi extends Extensible {
  readonly position?: Point;
  readonly size?: Point;
  readonly title?: string;
  readonly color?: string;
  readonly collapsed?: boolean;
  /** Names of inputs that are shown as sockets although they could be widgets. */
  readonly sockets?: readonly string[];
  /** By input name, the reroute its wire comes from. */
  readonly via?: Readonly<Record<string, string>>;
}

export interface NodeEntry extends Extensible {
  readonly type: string;
  readonly version?: number;
  readonly pack?: string;
  readonly inputs?: Readonly<Record<string, Json>>;
  readonly links?: Readonly<Record<string, Links>>;
  readonly mode?: Mode | null;
  readonly ui?: NodeUi;
}

/** A frame around nodes. */
export interface Group extends Extensible {
  readonly id: string;
  readonly title: string;
  readonly position: Point;
  readonly size: Point;
  readonly color?: string;
}

/** A point that the wires of one output pass through; `via` is the reroute before it. */
export interface Reroute extends Extensible {
  readonly position: Point;
  readonly source: Link;
  readonly via?: string;
}

export interface GraphUi extends Extensible {
  readonly groups?: readonly Group[];
  readonly reroutes?: Readonly<Record<string, Reroute>>;
  readonly viewport?: { readonly x: number; readonly y: number; readonly zoom: number };
}

export type Nodes = Readonly<Record<string, NodeEntry>>;

/** What a canvas shows: the whole workflow or one of its subgraphs. */
export interface Graph extends Extensible {
  readonly nodes?: Nodes;
  readonly ui?: GraphUi;
}

export interface SubgraphEntry extends Graph {
  /** By the name it has outside, the inner inputs that get the value. */
  readonly inputs?: Readonly<Record<string, readonly (readonly [node: string, input: string])[]>>;
  /** By the name it has outside, the inner output. */
  readonly outputs?: Readonly<Record<string, Link>>;
}

export interface Workflow extends Graph {
  readonly format: "nodegraph";
  readonly version?: number;
  readonly id?: string | null;
  readonly name?: string;
  readonly description?: string;
  readonly subgraphs?: Readonly<Record<string, SubgraphEntry>>;
}

export const SUBGRAPH_PREFIX = "subgraph/";
export const EMPTY: Workflow = { format: "nodegraph", version: 1, nodes: {} };

/** Own property of a record whose keys are free text: `constructor` is a node id like any other. */
export function lookUp<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The record without some keys; the same object where it has none of them. */
export function without<T>(
  record: Readonly<Record<string, T>>,
  keys: Iterable<string>,
): Readonly<Record<string, T>> {
  const gone = new Set(keys);
  const left = Object.entries(record).filter(([key]) => !gone.has(key));
  return left.length === Object.keys(record).length ? record : Object.fromEntries(left);
}

/** The record with every value changed; the same object where no value did. */
export function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(record).map(([key, value]) => [key, change(value, key)] as const);
  const same = entries.every(([key, value]) => record[key] === value);
  return same ? record : Object.fromEntries(entries);
}

/** A copy with one field set, or without it where the value is `undefined` or an empty object. */
export function withField<T extends object, K extends keyof T>(
  record: T,
  key: K,
  value: T[K] | undefined,
): T {
  if (!isNothing(value)) return record[key] === value ? record : { ...record, [key]: value };
  if (!Object.hasOwn(record, key)) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) as T;
}

function isNothing(value: unknown): boolean {
  return (
    value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}

export function nodesOf(graph: Graph): Nodes {
  return graph.nodes ?? {};
}

export function nodeOf(graph: Graph, id: string): NodeEntry | undefined {
  return lookUp(graph.nodes, id);
}

/** Name of the subgraph that a node of this type stands for. */
export function subgraphName(type: string): string | undefined {
  return type.startsWith(SUBGRAPH_PREFIX) ? type.slice(SUBGRAPH_PREFIX.length) : undefined;
}

/** Links as a list; `["a", "b"]` is one link, `[["a", "b"]]` a list of one. */
export function linkList(links: Links | undefined): readonly Link[] {
  if (links === undefined) return [];
  return isOneLink(links) ? [links] : links;
}

export function isOneLink(links: Links): links is Link {
  return typeof links[0] === "string";
}

export function sameLink(one: Link, other: Link): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

/** Which canvas: `null` for the workflow itself, else the name of a subgraph. */
export type Scope = string | null;

export function graphAt(workflow: Workflow, scope: Scope): Graph | undefined {
  return scope === null ? workflow : lookUp(workflow.subgraphs, scope);
}

/** The workflow with one of its graphs edited; the same object where the edit changed nothing. */
export function editAt(workflow: Workflow, scope: Scope, edit: (graph: Graph) => Graph): Workflow {
  const graph = graphAt(workflow, scope);
  if (graph === undefined) return workflow;
  const changed = edit(graph);
  if (changed === graph) return workflow;
  if (scope === null) return changed as Workflow;
  return { ...workflow, subgraphs: { ...workflow.subgraphs, [scope]: changed } };
}
