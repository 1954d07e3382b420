/** What a person does to the graph that is shown; menus, keys and buttons all come here. */
import { autoLayout, type InputsOf } from "@/model/arranging";
import { copy, paste, writeClipping } from "@/model/clipboard";
import {
  editAt,
  nodeOf,
  nodesOf,
  type Graph,
  type Mode,
  type NodeEntry,
  type Point,
  type Workflow,
} from "@/model/document";
import { addNode, freshId, moveNodes, removeNodes, setUi, showAsSocket, toggleMode } from "@/model/edit";
import { freePlace } from "@/model/freePlace";
import { addGroup, groupsOf, removeGroup } from "@/model/groups";
import { align, distribute, type Edge as Side } from "@/model/layout";
import type { StepName } from "@/model/history";
import { makeSubgraph } from "@/model/makeSubgraph";
import { adoptOwn } from "@/model/ownNodes";
import { removeReroute } from "@/model/reroutes";
import { wouldContainItself } from "@/model/subgraphs";
import { swapType } from "@/model/swap";
import { unpackSubgraph } from "@/model/unpackSubgraph";
import { disconnect } from "@/model/wires";
import { announce, tell } from "@/state/announcer";
import { bodyInputs } from "@/state/catalogue";
import {
  currentGraph,
  currentTab,
  currentWorkflow,
  edit,
  editWorkflow,
  scopeOf,
  select,
} from "@/state/documents";
import { nodeTypeOf, subgraphType, type NodeType } from "@/state/nodeTypes";
import type { End } from "@/state/surface";
import { t } from "@/strings";
import { writeClipboard } from "./clipboardText";
import { FOOT, roomyFor, rowsSize, shownPlace, sizeOf, takenBoxes } from "./cardSizes";
import { readFlowId, readWireId } from "./flow";
import { freeCorner } from "./freeCorner";
import { reveal } from "./showNode";
import { cardGeometry } from "./geometry";
import { defaultValue, widgetKind, type WidgetKind } from "@/widgets/kinds";
import { bestSocket, opposite, typeOfEnd, wired } from "./wiring";

/** Ids of the selected nodes. */
export function selectedNodes(): string[] {
  return [...currentTab().selection].filter((id) => nodeOf(currentGraph(), id) !== undefined);
}

export function titleOf(id: string): string {
  const entry = nodeOf(currentGraph(), id);
  return entry ? (entry.ui?.title ?? nodeTypeOf(id, entry, shownPlace()).title) : id;
}

/** The workflow with what a type brings along, and the type as it is there; nothing where it may not be put. */
function adopted(type: NodeType): { workflow: Workflow; type: NodeType } | undefined {
  const workflow = currentWorkflow();
  if (type.own === undefined) return { workflow, type };
  const made = adoptOwn(workflow, type.own, bodyInputs);
  const there = made && subgraphType(made.type, { ...shownPlace(), workflow: made.workflow });
  if (made === undefined || there === undefined) return undefined;
  if (wouldContainItself(made.workflow, scopeOf(currentTab()), made.type, bodyInputs)) return undefined;
  return { workflow: made.workflow, type: there };
}

/** Whether a type may be put into the graph that is shown: not where it would hold itself. */
export const mayAdd = (type: NodeType): boolean => adopted(type) !== undefined;

/** Edit the graph that is shown in a workflow that something was brought into. */
function editAdopted(step: StepName, workflow: Workflow, change: (graph: Graph) => Graph): void {
  editWorkflow(step, () => editAt(workflow, scopeOf(currentTab()), change));
}

/** Add a node and select it; wired to `from` where that is given. */
export function addNodeOf(
  given: NodeType,
  at: Point,
  from?: End,
  inputs: NodeEntry["inputs"] = {},
): string | undefined {
  const found = adopted(given);
  if (found === undefined) {
    tell(t("saidHoldsItself", { title: given.title }));
    return undefined;
  }
  const { workflow, type } = found;
  const id = freshId(Object.keys(nodesOf(currentGraph())), type.id.replace(/^subgraph\//, ""));
  const bare: NodeEntry = {
    type: type.id,
    version: type.version,
    ...(type.pack && { pack: type.pack }),
    inputs: { ...startingInputs(type), ...inputs },
  };
  const { width, height } = cardGeometry(bare, type);
  const position = freePlace([Math.round(at[0]), Math.round(at[1])], [width, height + FOOT], takenBoxes());
  const entry: NodeEntry = { ...bare, ui: { position } };
  const socket = from && bestSocket(from, typeOfEnd(from), type);
  const end: End | undefined = socket ? { node: id, socket, side: opposite(from.side) } : undefined;
  editAdopted({ name: t("stepAdd", { title: type.title }) }, workflow, (graph) => {
    const added = addNode(graph, id, entry);
    return from && end ? wired(added, from, end, type) : added;
  });
  select([id]);
  reveal(id);
  announce(t("saidAdded", { title: type.title }));
  return id;
}

const CHOSEN: readonly (WidgetKind | undefined)[] = [undefined, "image", "mask", "file", "body", "json"];

/** What the widgets of required inputs show from the start, such as the empty text of a prompt. */
function startingInputs(type: NodeType): NodeEntry["inputs"] {
  const shown = type.inputs.filter(
    (input) => input.required && input.default === undefined && !CHOSEN.includes(widgetKind(input)),
  );
  return Object.fromEntries(shown.map((input) => [input.name, defaultValue(input)]));
}

export function swapNode(id: string, given: NodeType): void {
  const before = shownPlace();
  const found = adopted(given);
  if (found === undefined) return tell(t("saidHoldsItself", { title: given.title }));
  editAdopted({ name: t("stepSwap") }, found.workflow, (graph) =>
    swapType(graph, id, found.type, (node, entry) => nodeTypeOf(node, entry, before), before.catalogue.bases),
  );
}

/** Remove everything that is selected: nodes, frames (not what is in them), reroutes and wires. */
export function removeSelected(): void {
  const { selection } = currentTab();
  if (selection.size === 0) return;
  edit({ name: t("stepRemove") }, (graph) => {
    let changed = removeNodes(graph, selectedNodes());
    for (const flowId of selection) {
      const { kind, id } = readFlowId(flowId);
      const wired = readWireId(flowId);
      if (kind === "frame") changed = removeGroup(changed, id);
      if (kind === "reroute") changed = removeReroute(changed, id);
      if (wired) changed = disconnect(changed, wired.target, wired.input);
    }
    return changed;
  });
  announce(t("saidRemoved", { count: selection.size }));
  select([]);
}

export function toggleModeOfSelected(mode: Mode): void {
  edit({ name: t(mode === "muted" ? "stepMute" : "stepBypass") }, (graph) =>
    toggleMode(graph, selectedNodes(), mode),
  );
  const [first] = selectedNodes();
  const on = first !== undefined && nodeOf(currentGraph(), first)?.mode === mode;
  announce(t(on ? (mode === "muted" ? "saidMuted" : "saidBypassed") : "saidActive"));
}

export function toggleCollapsed(ids: readonly string[] = selectedNodes()): void {
  const all = ids.every((id) => nodeOf(currentGraph(), id)?.ui?.collapsed);
  edit({ name: t("stepCollapse") }, (graph) => setUi(graph, ids, { collapsed: all ? undefined : true }));
}

export function colourSelected(color: string | undefined): void {
  edit({ name: t("stepColour") }, (graph) => setUi(graph, selectedNodes(), { color }));
}

export function toggleSocket(id: string, input: string): void {
  const shown = nodeOf(currentGraph(), id)?.ui?.sockets?.includes(input) ?? false;
  edit({ name: t("stepSocket") }, (graph) => showAsSocket(graph, id, input, !shown));
}

export function moveSelectedBy(dx: number, dy: number): void {
  const nodes = nodesOf(currentGraph());
  const places = selectedNodes().map((id): [string, Point] => {
    const [x, y] = nodes[id]?.ui?.position ?? [0, 0];
    return [id, [x + dx, y + dy]];
  });
  edit({ name: t("stepMove"), merge: "nudge" }, (graph) => moveNodes(graph, new Map(places)));
}

export function alignSelected(side: Side): void {
  edit({ name: t("stepAlign") }, (graph) => align(graph, selectedNodes(), side, sizeOf));
}

export function distributeSelected(axis: "horizontal" | "vertical"): void {
  edit({ name: t("stepAlign") }, (graph) => distribute(graph, selectedNodes(), axis, sizeOf));
}

const inputsOf: InputsOf = (id, entry) => nodeTypeOf(id, entry, shownPlace()).inputs.map(({ name }) => name);

/** Place the selected nodes, or all, from left to right. */
export async function layOut(): Promise<void> {
  const chosen = selectedNodes();
  const before = currentGraph();
  const sizes = { sizeOf: roomyFor, heldBy: rowsSize, inputsOf };
  const laid = await autoLayout(before, sizes, chosen.length > 1 ? chosen : undefined);
  edit({ name: t("stepLayout") }, (graph) => (graph === before ? laid : graph));
}

export function frameSelected(): void {
  const id = freshId(
    groupsOf(currentGraph()).map((group) => group.id),
    "frame",
  );
  edit({ name: t("stepFrame") }, (graph) =>
    addGroup(graph, { id, title: t("frameTitle") }, selectedNodes(), sizeOf),
  );
}

export async function copySelected(): Promise<void> {
  const ids = selectedNodes();
  if (ids.length === 0) return;
  const clipping = copy(currentWorkflow(), scopeOf(currentTab()), ids, { bodyInputs });
  const copied = await writeClipboard(writeClipping(clipping));
  tell(copied ? t("saidCopied", { count: ids.length }) : t("saidNotCopied"));
}

/** Copy the selected nodes beside themselves, with the wires into them. */
export function duplicateSelected(): void {
  const clipping = copy(currentWorkflow(), scopeOf(currentTab()), selectedNodes(), { bodyInputs });
  const options = { at: freeCorner(clipping), withOuterLinks: true, bodyInputs };
  const pasted = paste(currentWorkflow(), scopeOf(currentTab()), clipping, options);
  editWorkflow({ name: t("stepDuplicate") }, () => pasted.workflow);
  select(pasted.ids);
}

export function packSelected(): void {
  const made = makeSubgraph(currentWorkflow(), scopeOf(currentTab()), selectedNodes(), t("subgraphName"));
  if (made === undefined) {
    tell(t("saidCannotPack"));
    return;
  }
  editWorkflow({ name: t("stepPack") }, () => made.workflow);
  select([made.id]);
}

export function unpack(id: string): void {
  const made = unpackSubgraph(currentWorkflow(), scopeOf(currentTab()), id, bodyInputs);
  if (made === undefined) return;
  editWorkflow({ name: t("stepUnpack") }, () => made.workflow);
  select(made.ids);
}

export function selectAll(): void {
  select(Object.keys(nodesOf(currentGraph())));
}

export function renameNodeTo(id: string, title: string): void {
  edit({ name: t("stepRename") }, (graph) => setUi(graph, [id], { title: title.trim() || undefined }));
}

export function resizeNode(id: string, width: number): void {
  const [, height] = nodeOf(currentGraph(), id)?.ui?.size ?? [0, 0];
  edit({ name: t("stepResize"), merge: `resize:${id}` }, (graph) =>
    setUi(graph, [id], { size: [Math.round(width), height] }),
  );
}
