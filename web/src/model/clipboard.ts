/** Copy and paste: parts of a graph as text that any other editor, tab or text file can hold. */
import {
  lookUp,
  mapValues,
  nodesOf,
  type Graph,
  type Group,
  type NodeEntry,
  type Point,
  type Scope,
  type SubgraphEntry,
  type Workflow,
  editAt,
  graphAt,
} from "./document";
import { NO_BODIES, renameUses, usesOf, type BodyInputs } from "./bodies";
import { addNode, freshId, patchUi } from "./edit";
import { groupsOf, withGroups } from "./groups";
import { writeJson } from "./json";
import { readWorkflow } from "./reading";
import { isRecord } from "./rules";
import { freshName } from "./subgraphs";
import { filterLinks, mapLinks } from "./wires";

export const CLIPBOARD_FORMAT = "nodegraph-clipboard";

export interface Clipping {
  readonly format: typeof CLIPBOARD_FORMAT;
  readonly version: 1;
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly groups?: readonly Group[];
  /** The subgraphs that copied nodes stand for or run, with those inside them. */
  readonly subgraphs?: Readonly<Record<string, SubgraphEntry>>;
}

/** Copy nodes with the wires between them and into them. Reroutes stay behind. */
export function copy(
  workflow: Workflow,
  scope: Scope,
  ids: Iterable<string>,
  { groups = [], bodyInputs = NO_BODIES }: { groups?: readonly string[]; bodyInputs?: BodyInputs } = {},
): Clipping {
  const graph: Graph = graphAt(workflow, scope) ?? {};
  const nodes = Object.fromEntries(
    [...ids].flatMap((id) => {
      const node = lookUp(graph.nodes, id);
      return node ? [[id, patchUi(node, { via: undefined })] as const] : [];
    }),
  );
  const frames = groupsOf(graph).filter((group) => groups.includes(group.id));
  const subgraphs = usedSubgraphs(workflow, nodes, bodyInputs);
  return {
    format: CLIPBOARD_FORMAT,
    version: 1,
    nodes,
    ...(frames.length > 0 && { groups: frames }),
    ...(Object.keys(subgraphs).length > 0 && { subgraphs }),
  };
}

/** The subgraphs that nodes stand for or run, with those inside them. */
export function usedSubgraphs(
  workflow: Workflow,
  nodes: Readonly<Record<string, NodeEntry>>,
  bodyInputs: BodyInputs = NO_BODIES,
): Record<string, SubgraphEntry> {
  const found = new Map<string, SubgraphEntry>();
  const pending = Object.values(nodes);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const { name } of usesOf(node, bodyInputs)) {
      const graph = lookUp(workflow.subgraphs, name);
      if (graph === undefined || found.has(name)) continue;
      found.set(name, graph);
      pending.push(...Object.values(nodesOf(graph)));
    }
  }
  return Object.fromEntries(found);
}

export interface Pasted {
  readonly workflow: Workflow;
  /** The new nodes, in the order of the clipping. */
  readonly ids: readonly string[];
}

export interface PasteOptions {
  /** Where the top left corner goes; by default a little beside the original. */
  readonly at?: Point;
  /** Keep wires from nodes that were not copied, where those are there. */
  readonly withOuterLinks?: boolean;
  readonly bodyInputs?: BodyInputs;
}

/** Paste into a graph: ids are new, wires among the copied nodes are kept. */
export function paste(
  workflow: Workflow,
  scope: Scope,
  clipping: Clipping,
  { at, withOuterLinks = false, bodyInputs = NO_BODIES }: PasteOptions = {},
): Pasted {
  const graph = graphAt(workflow, scope);
  if (graph === undefined) return { workflow, ids: [] };
  const names = newNames(nodesOf(graph), Object.keys(clipping.nodes));
  const { merged, renamed } = mergeSubgraphs(workflow, clipping.subgraphs ?? {}, bodyInputs);
  const [dx, dy] = shift(clipping, at);
  const keep = (id: string) => names.has(id) || (withOuterLinks && lookUp(graph.nodes, id) !== undefined);
  const place = (node: NodeEntry) => placed(renameUses(node, renamed, bodyInputs), names, keep, [dx, dy]);
  const whole = editAt(merged, scope, (before) => {
    let after = before;
    for (const [id, node] of Object.entries(clipping.nodes))
      after = addNode(after, names.get(id) ?? id, place(node));
    return pasteGroups(after, clipping.groups ?? [], [dx, dy]);
  });
  return { workflow: whole, ids: [...names.values()] };
}

function newNames(taken: object, ids: readonly string[]): Map<string, string> {
  const used = new Set(Object.keys(taken));
  const names = new Map<string, string>();
  for (const id of ids) {
    const name = used.has(id) ? freshId(used, id.replace(/-\d+$/, "")) : id;
    used.add(name);
    names.set(id, name);
  }
  return names;
}

function placed(
  node: NodeEntry,
  names: ReadonlyMap<string, string>,
  keep: (id: string) => boolean,
  [dx, dy]: Point,
): NodeEntry {
  const kept = filterLinks(node, ([source]) => keep(source));
  const wired = mapLinks(kept, ([source, output]) => [names.get(source) ?? source, output]);
  const [x, y] = node.ui?.position ?? [0, 0];
  return patchUi(wired, { position: [x + dx, y + dy] });
}

function shift(clipping: Clipping, at: Point | undefined): Point {
  if (at === undefined) return [32, 32];
  const corners = [
    ...Object.values(clipping.nodes).map((node): Point => node.ui?.position ?? [0, 0]),
    ...(clipping.groups ?? []).map((group) => group.position),
  ];
  if (corners.length === 0) return [0, 0];
  return [at[0] - Math.min(...corners.map(([x]) => x)), at[1] - Math.min(...corners.map(([, y]) => y))];
}

function pasteGroups<G extends Graph>(graph: G, groups: readonly Group[], [dx, dy]: Point): G {
  if (groups.length === 0) return graph;
  const taken = new Set(groupsOf(graph).map((group) => group.id));
  const moved = groups.map((group): Group => {
    const id = freshId(taken, group.id);
    taken.add(id);
    return { ...group, id, position: [group.position[0] + dx, group.position[1] + dy] };
  });
  return withGroups(graph, [...groupsOf(graph), ...moved]);
}

/** Bring subgraphs along; one whose name stands for something else here gets another. */
export function mergeSubgraphs(
  workflow: Workflow,
  brought: Readonly<Record<string, SubgraphEntry>>,
  bodyInputs: BodyInputs = NO_BODIES,
): { merged: Workflow; renamed: ReadonlyMap<string, string> } {
  const known = workflow.subgraphs ?? {};
  const renamed = new Map<string, string>();
  for (const [name, graph] of Object.entries(brought)) {
    const here = lookUp(known, name);
    if (here === undefined) renamed.set(name, name);
    else if (here === graph || writeJson(here) === writeJson(graph)) continue;
    else
      renamed.set(
        name,
        freshName([...Object.keys(known), ...Object.keys(brought), ...renamed.values()], name),
      );
  }
  if (renamed.size === 0) return { merged: workflow, renamed };
  const added = [...renamed].map(([name, next]) => {
    const graph = brought[name] ?? {};
    return [
      next,
      { ...graph, nodes: mapValues(nodesOf(graph), (node) => renameUses(node, renamed, bodyInputs)) },
    ] as const;
  });
  return { merged: { ...workflow, subgraphs: { ...known, ...Object.fromEntries(added) } }, renamed };
}

export function writeClipping(clipping: Clipping): string {
  return writeJson(clipping, 2);
}

/** What was copied here, of parsed JSON. `undefined`: it is something else. Throws `BadDocument` where it is damaged. */
export function readClipping(found: unknown): { clipping: Clipping; dropped: readonly string[] } | undefined {
  if (!isRecord(found) || found["format"] !== CLIPBOARD_FORMAT) return undefined;
  const { groups, ...graph } = found;
  const { workflow, dropped } = readWorkflow({
    ...graph,
    format: "nodegraph",
    ui: groups === undefined ? {} : { groups },
  });
  return { clipping: clippingOf(workflow), dropped };
}

/** A whole workflow as if all of it had been copied. */
export function clippingOf({ nodes = {}, subgraphs, ui }: Workflow): Clipping {
  const plain = mapValues(nodes, (node) => patchUi(node, { via: undefined }));
  return {
    format: CLIPBOARD_FORMAT,
    version: 1,
    nodes: plain,
    ...(ui?.groups && { groups: ui.groups }),
    ...(subgraphs && { subgraphs }),
  };
}
