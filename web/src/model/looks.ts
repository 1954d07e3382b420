/**
 * What `ui` holds: places, titles, frames and reroutes, which no run needs.
 *
 * An entry that cannot be drawn is left out, and told; keys that are not known here stay.
 */
import {
  mapValues,
  without,
  type Graph,
  type GraphUi,
  type Group,
  type Nodes,
  type Reroute,
  type Workflow,
} from "./document";
import { freshId } from "./edit";
import * as rules from "./rules";
import { broken, fault, faultsIn, isRecord, type Fields, type Rules } from "./rules";

/** Must be kept in step with `nodegraph/workflow/looks.py`. */
const NODE: Rules = {
  position: rules.POSITION,
  size: rules.SIZE,
  title: rules.TEXT,
  color: rules.TEXT,
  collapsed: rules.SWITCH,
  sockets: rules.TEXTS,
  via: rules.TEXT_BY_NAME,
};
const GROUP: Rules = { id: rules.TEXT, title: rules.TEXT, color: rules.TEXT };
const GROUP_NEEDS: Rules = { position: rules.POSITION, size: rules.SIZE };
const REROUTE: Rules = { via: rules.TEXT };
const REROUTE_NEEDS: Rules = { position: rules.POSITION, source: rules.LINK };
const GRAPH: Rules = {
  groups: { holds: Array.isArray, words: "must be a list of groups" },
  reroutes: rules.OBJECT,
  viewport: rules.VIEW,
};

export interface Cleaned<T> {
  readonly value: T;
  /** Of each entry that was left out, where it was and what it should have been. */
  readonly dropped: readonly string[];
}

/** A workflow of sound shape, with only what can be drawn; the same object where that is all of it. */
export function cleanLooks(workflow: Workflow): Cleaned<Workflow> {
  const dropped: string[] = [];
  const whole = cleanGraph("", workflow, dropped);
  const inner = mapValues(whole.subgraphs ?? {}, (graph, name) =>
    cleanGraph(`subgraphs.${name}.`, graph, dropped),
  );
  return { value: whole.subgraphs ? put(whole, "subgraphs", inner) : whole, dropped };
}

function cleanGraph<G extends Graph>(place: string, graph: G, dropped: string[]): G {
  const nodes = graph.nodes && cleanNodes(`${place}nodes.`, graph.nodes, dropped);
  const ui = graph.ui && cleanCanvas(`${place}ui.`, graph.ui, dropped);
  return put(put(graph, "nodes", nodes), "ui", ui);
}

function cleanNodes(place: string, nodes: Nodes, dropped: string[]): Nodes {
  return mapValues(nodes, (node, id) =>
    node.ui ? put(node, "ui", cleanFields(`${place}${id}.ui.`, node.ui, NODE, dropped)) : node,
  );
}

function cleanCanvas(place: string, given: GraphUi, dropped: string[]): GraphUi {
  const ui = cleanFields(place, given, GRAPH, dropped);
  const groups = ui.groups && cleanGroups(`${place}groups`, ui.groups, dropped);
  const reroutes = ui.reroutes && cleanReroutes(`${place}reroutes.`, ui.reroutes, dropped);
  return put(put(ui, "groups", groups), "reroutes", reroutes);
}

/** Frames that have a place and a size; one without a name of its own gets one. */
function cleanGroups(place: string, groups: readonly unknown[], dropped: string[]): readonly Group[] {
  const taken = new Set<string>();
  const sound = groups.flatMap((group, index) => {
    const at = `${place}[${index}]`;
    if (!has(at, group, GROUP_NEEDS, dropped)) return [];
    const clean = cleanFields(`${at}.`, group, GROUP, dropped);
    const { title = "", id: wanted = "frame" } = clean as Partial<Group>;
    const id = taken.has(wanted) ? freshId(taken, wanted) : wanted;
    taken.add(id);
    return [put(put(clean, "title", title), "id", id) as unknown as Group];
  });
  const same = sound.length === groups.length && sound.every((group, index) => group === groups[index]);
  return same ? (groups as readonly Group[]) : sound;
}

function cleanReroutes(
  place: string,
  reroutes: Fields,
  dropped: string[],
): Readonly<Record<string, Reroute>> {
  const bad = Object.keys(reroutes).filter((id) => !has(place + id, reroutes[id], REROUTE_NEEDS, dropped));
  const sound = without(reroutes as Readonly<Record<string, Reroute>>, bad);
  return mapValues(sound, (reroute, id) => cleanFields(`${place}${id}.`, reroute, REROUTE, dropped));
}

/** Whether an entry has all it cannot be drawn without. */
function has(place: string, entry: unknown, needs: Rules, dropped: string[]): entry is Fields {
  if (!isRecord(entry)) {
    dropped.push(fault(place, rules.OBJECT, entry));
    return false;
  }
  const missing = Object.keys(needs).filter((name) => !Object.hasOwn(entry, name));
  const faults = [
    ...missing.map((name) => `${place}.${name}: is missing`),
    ...faultsIn(`${place}.`, entry, needs),
  ];
  dropped.push(...faults);
  return faults.length === 0;
}

function cleanFields<F extends Fields>(place: string, record: F, known: Rules, dropped: string[]): F {
  dropped.push(...faultsIn(place, record, known));
  return without(record, broken(record, known)) as F;
}

/** The record with one field set; the same object where it has that value already. */
function put<R extends object, K extends keyof R>(record: R, key: K, value: R[K] | undefined): R {
  return record[key] === value ? record : { ...record, [key]: value };
}
