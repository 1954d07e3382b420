/** Open workflows: their tabs, what is selected, which graph is shown, and undo. */
import { create } from "zustand";
import {
  EMPTY,
  editAt,
  graphAt,
  nodeOf,
  type Graph,
  type NodeEntry,
  type Scope,
  type Workflow,
} from "@/model/document";
import { usesOf, type Use } from "@/model/bodies";
import { newId } from "@/model/ids";
import { begin, commit, redo as redone, undo as undone, type History, type StepName } from "@/model/history";
import type { Step } from "@/model/places";
import { exposedName, type Side } from "@/model/subgraphs";
import { bodyInputs } from "./catalogue";

/** A graph on the way in. */
export interface Entered {
  readonly scope: Scope;
  /** What runs put before the ids of its nodes: `outer/` inside the node `outer`. */
  readonly prefix: string;
}

export interface Tab {
  readonly key: string;
  readonly history: History<Workflow>;
  /** Graphs entered one inside the other; the last is shown. */
  readonly trail: readonly Entered[];
  /** Ids of what is selected on the canvas: nodes, reroutes, frames and wires, as drawn. */
  readonly selection: ReadonlySet<string>;
  /** The document as it can be had again: as it was last saved, as a template is, or empty; else `undefined`. */
  readonly saved: Workflow | undefined;
  /** Where it was opened from or saved to, as the files module knows it. */
  readonly place: string | undefined;
}

/** A tab that was closed, with its changes and its history. */
export interface ClosedTab extends Tab {
  /** By `Date.now()`. */
  readonly closed: number;
  /** Its place among the tabs. */
  readonly index: number;
}

interface Documents {
  readonly tabs: readonly Tab[];
  readonly active: string;
  /** The last one last. */
  readonly closed: readonly ClosedTab[];
}

export const MOST_CLOSED = 20;
const WHOLE: Entered = { scope: null, prefix: "" };
const NOTHING: ReadonlySet<string> = new Set();

function newTab(workflow: Workflow, saved: Workflow | undefined, place?: string): Tab {
  return {
    key: newId(),
    history: begin(workflow),
    trail: [WHOLE],
    selection: NOTHING,
    saved,
    place,
  };
}

function firstState(): Documents {
  const tab = newTab(EMPTY, EMPTY);
  return { tabs: [tab], active: tab.key, closed: [] };
}

export const useDocuments = create<Documents>(firstState);

export function tabOf(state: Documents): Tab {
  const tab = state.tabs.find((candidate) => candidate.key === state.active) ?? state.tabs[0];
  if (tab === undefined) throw new Error("there is always a tab");
  return tab;
}

export const scopeOf = (tab: Tab): Scope => tab.trail.at(-1)?.scope ?? null;
export const prefixOf = (tab: Tab): string => tab.trail.at(-1)?.prefix ?? "";
export const workflowOf = (tab: Tab): Workflow => tab.history.present;
export const graphOf = (tab: Tab): Graph => graphAt(workflowOf(tab), scopeOf(tab)) ?? EMPTY;
export const isChanged = (tab: Tab): boolean => workflowOf(tab) !== tab.saved;

export const currentTab = (): Tab => tabOf(useDocuments.getState());
export const currentWorkflow = (): Workflow => workflowOf(currentTab());
export const currentGraph = (): Graph => graphOf(currentTab());

/** A slice of the tab in front; a component re-renders only when its slice changes. */
export function useTab<T>(select: (tab: Tab) => T): T {
  return useDocuments((state) => select(tabOf(state)));
}

export function useEntry(id: string): NodeEntry | undefined {
  return useTab((tab) => nodeOf(graphOf(tab), id));
}

export function updateTab(key: string, change: (tab: Tab) => Tab): void {
  useDocuments.setState(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.key === key ? change(tab) : tab)) }));
}

function updateCurrent(change: (tab: Tab) => Tab): void {
  updateTab(currentTab().key, change);
}

/** Edit the whole document; `step` names it for undo. */
export function editWorkflow(step: StepName, change: (workflow: Workflow) => Workflow): void {
  editWorkflowIn(currentTab().key, step, change);
}

/** Edit the document of a tab, which need not be in front. */
export function editWorkflowIn(key: string, step: StepName, change: (workflow: Workflow) => Workflow): void {
  updateTab(key, (tab) => {
    const history = commit(tab.history, change(workflowOf(tab)), step, performance.now());
    return history === tab.history ? tab : { ...tab, history };
  });
}

/** Edit the graph that is shown. */
export function edit(step: StepName, change: (graph: Graph) => Graph): void {
  const scope = scopeOf(currentTab());
  editWorkflow(step, (workflow) => editAt(workflow, scope, change));
}

export function undo(): void {
  updateCurrent((tab) => withHistory(tab, undone(tab.history)));
}

export function redo(): void {
  updateCurrent((tab) => withHistory(tab, redone(tab.history)));
}

/** The tab at another point of its history; a subgraph that is not there then is left. */
function withHistory(tab: Tab, history: History<Workflow> | undefined): Tab {
  if (history === undefined) return tab;
  const trail = tab.trail.filter(({ scope }) => graphAt(history.present, scope) !== undefined);
  return { ...tab, history, trail };
}

export function select(ids: Iterable<string>): void {
  const selection = new Set(ids);
  updateCurrent((tab) => (sameSet(tab.selection, selection) ? tab : { ...tab, selection }));
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((id) => other.has(id));
}

/** What a socket of the shown graph is called outside, where that graph is a subgraph that shows it. */
export function useOuterName(node: string, side: Side, socket: string): string | undefined {
  return useTab((tab) =>
    scopeOf(tab) === null ? undefined : exposedName(graphOf(tab), side, [node, socket]),
  );
}

/** The subgraphs that a node of a tab's graph stands for or runs, and that are there. */
export function insidesOf(tab: Tab, id: string): readonly Use[] {
  const entry = nodeOf(graphOf(tab), id);
  const uses = entry ? usesOf(entry, bodyInputs) : [];
  return uses.filter(({ name }) => graphAt(workflowOf(tab), name) !== undefined);
}

/** Go into the subgraph that a node of the shown graph stands for or runs; of several, the one that `input` names. */
export function enterNode(id: string, input?: string): void {
  updateCurrent((tab) => {
    const insides = insidesOf(tab, id);
    const inside = input === undefined ? insides[0] : insides.find((use) => use.input === input);
    if (inside === undefined) return tab;
    const step = { scope: inside.name, prefix: `${prefixOf(tab)}${id}/` };
    return { ...tab, trail: [...tab.trail, step], selection: NOTHING };
  });
}

/** Go back out to one of the graphs on the way in; 0 is the workflow itself. */
export function leaveTo(depth: number): void {
  updateCurrent((tab) => ({ ...tab, trail: tab.trail.slice(0, depth + 1), selection: NOTHING }));
}

/** Open the graph that a node is in, by the way there, and select the node. */
export function goToNode(path: readonly Step[], id: string): void {
  updateCurrent((tab) => ({ ...tab, trail: [WHOLE, ...path], selection: new Set([id]) }));
}

/** Open a workflow in a tab of its own; an empty, unchanged tab makes room. */
export function openWorkflow(workflow: Workflow, place?: string): string {
  return openTab(newTab(workflow, place === undefined ? undefined : workflow, place));
}

/** The same of one that can be opened again as it is: there is nothing to save before it is changed. */
export function openCopy(workflow: Workflow): string {
  return openTab(newTab(workflow, workflow));
}

function openTab(tab: Tab): string {
  useDocuments.setState(({ tabs, active }) => ({
    tabs: [...tabs.filter((other) => other.key !== active || !isBlank(other)), tab],
    active: tab.key,
  }));
  return tab.key;
}

/** Nothing is in it that could be lost. */
export function isBlank(tab: Tab): boolean {
  return workflowOf(tab) === EMPTY && tab.place === undefined;
}

export interface Restored {
  readonly key: string;
  readonly history: History<Workflow>;
  readonly saved: Workflow | undefined;
  readonly place: string | undefined;
}

/** Open tabs as they were; a blank one makes room. */
export function restoreTabs(restored: readonly Restored[], front?: string): void {
  useDocuments.setState((state) => {
    const missing = restored.filter(({ key }) => state.tabs.every((tab) => tab.key !== key));
    const all = [...state.tabs.filter((tab) => !isBlank(tab)), ...missing.map(restoredTab)];
    return { tabs: all, active: front ?? all.at(-1)?.key ?? state.active };
  });
}

function restoredTab<R extends Restored>(kept: R): Tab & R {
  return { ...newTab(kept.history.present, undefined), ...kept };
}

export type RestoredClosed = Restored & Pick<ClosedTab, "closed" | "index">;

/** Remember what was closed before; the last one last. */
export function restoreClosed(restored: readonly RestoredClosed[]): void {
  const before = restored.map(restoredTab);
  useDocuments.setState(({ closed }) => ({ closed: [...before, ...closed].slice(-MOST_CLOSED) }));
}

export function newWorkflow(): void {
  const empty = { ...EMPTY };
  const tab = newTab(empty, empty);
  useDocuments.setState(({ tabs }) => ({ tabs: [...tabs, tab], active: tab.key }));
}

export function activateTab(key: string): void {
  useDocuments.setState({ active: key });
}

export function closeTab(key: string): void {
  useDocuments.setState((state) => {
    const index = state.tabs.findIndex((tab) => tab.key === key);
    const tabs = state.tabs.filter((tab) => tab.key !== key);
    const closing = state.tabs.filter((tab) => tab.key === key && !isBlank(tab));
    const closed = [...state.closed, ...closing.map((tab) => ({ ...tab, closed: Date.now(), index }))];
    const kept = closed.slice(-MOST_CLOSED);
    if (tabs.length === 0) return { ...firstState(), closed: kept };
    const neighbour = tabs[Math.min(index, tabs.length - 1)];
    return { tabs, active: state.active === key && neighbour ? neighbour.key : state.active, closed: kept };
  });
}

/** Open again what was closed last, or the tab of that key, as it was and where it was. */
export function reopenTab(key?: string): Tab | undefined {
  const { tabs, closed } = useDocuments.getState();
  const found = key === undefined ? closed.at(-1) : closed.find((tab) => tab.key === key);
  if (found === undefined) return undefined;
  const { closed: _, index, ...tab } = found;
  useDocuments.setState({
    tabs: tabs.filter((other) => !isBlank(other)).toSpliced(index, 0, withOwnPlace(tab, tabs)),
    active: tab.key,
    closed: closed.filter((other) => other !== found),
  });
  return tab;
}

/** Where another tab has the workflow meanwhile, this is a copy: it must not be saved over that one unasked. */
function withOwnPlace(tab: Tab, open: readonly Tab[]): Tab {
  const taken = tab.place !== undefined && open.some(({ place }) => place === tab.place);
  return taken ? { ...tab, place: undefined } : tab;
}

/** Note that the document in a tab is what stands at `place` now. */
export function markSaved(key: string, place: string, saved: Workflow): void {
  updateTab(key, (tab) => ({ ...tab, place, saved }));
}

/** Note that nothing stands at `place` any more; gives whether that is news to a tab. */
export function markUnsaved(place: string): boolean {
  const { tabs } = useDocuments.getState();
  const keys = tabs.filter((tab) => tab.place === place && tab.saved !== undefined).map(({ key }) => key);
  for (const key of keys) updateTab(key, (tab) => ({ ...tab, saved: undefined }));
  return keys.length > 0;
}
