/** The entries of context menus. */
import { linkList, lookUp, nodeOf, subgraphName, type Link, type SubgraphEntry } from "@/model/document";
import { groupsOf, updateGroup } from "@/model/groups";
import { freshId } from "@/model/edit";
import { addReroute, removeReroute, reroutesOf } from "@/model/reroutes";
import { concealSocket, exposedName, exposeInput, exposeOutput, type Side } from "@/model/subgraphs";
import {
  currentGraph,
  currentTab,
  currentWorkflow,
  edit,
  editWorkflow,
  enterNode,
  insidesOf,
  scopeOf,
  select,
} from "@/state/documents";
import { tell } from "@/state/announcer";
import { askOwnNode } from "@/state/ownNodeQuestion";
import { nodeTypeNow } from "@/state/shownTypes";
import { openSearch, type MenuRequest } from "@/state/surface";
import { t } from "@/strings";
import { widgetKind } from "@/widgets/kinds";
import {
  alignSelected,
  colourSelected,
  copySelected,
  distributeSelected,
  duplicateSelected,
  frameSelected,
  layOut,
  packSelected,
  removeSelected,
  selectAll,
  selectedNodes,
  toggleCollapsed,
  toggleModeOfSelected,
  toggleSocket,
  unpack,
} from "./actions";
import type { Flow } from "./bringIntoView";
import { readClipboard } from "./clipboardText";
import { CARD_COLOURS, ownColour } from "./colours";
import { readWireId } from "./flow";
import { loopChoices } from "./loops";
import { pasteText } from "./pasting";
import { showEverything } from "./wholeView";
import { unplug } from "./wiring";

export interface MenuEntry {
  readonly label: string;
  readonly run: () => void;
  readonly keys?: string;
  /** Why it cannot be chosen. */
  readonly why?: string;
  /** The first of a new part of the menu. */
  readonly starts?: boolean;
  readonly swatch?: string;
}

export function menuEntries(request: MenuRequest, flow: Flow): readonly MenuEntry[] {
  const { kind, id } = request.target;
  if (kind === "card") return selectedNodes().length > 1 ? severalEntries() : cardEntries(id);
  if (kind === "frame") return frameEntries(id);
  if (kind === "reroute") return [removeRerouteEntry(id)];
  if (kind === "wire") return wireEntries(id, request);
  return canvasEntries(request, flow);
}

function canvasEntries({ at }: MenuRequest, flow: Flow): MenuEntry[] {
  return [
    { label: t("menuAdd"), keys: "Tab", run: () => openSearch({ at }) },
    { label: t("menuPaste"), keys: "Ctrl+V", run: () => void pasteAt(at) },
    { label: t("menuPasteLinked"), keys: "Ctrl+Shift+V", run: () => void pasteAt(at, true) },
    { label: t("menuSelectAll"), keys: "Ctrl+A", run: selectAll },
    { label: t("menuLayout"), keys: "Ctrl+Shift+L", starts: true, run: () => void layOut() },
    { label: t("menuFit"), keys: ".", run: () => showEverything(flow) },
  ];
}

async function pasteAt(at: readonly [number, number], withLinks = false): Promise<void> {
  const text = await readClipboard();
  if (text === undefined) tell(t("saidPasteByKey"));
  else await pasteText(text, at, withLinks);
}

function common(): MenuEntry[] {
  return [
    { label: t("menuCopy"), keys: "Ctrl+C", run: () => void copySelected() },
    { label: t("menuDuplicate"), keys: "Ctrl+D", run: duplicateSelected },
    { label: t("menuRemove"), keys: "Delete", run: removeSelected },
    { label: t("menuMute"), keys: "Ctrl+M", starts: true, run: () => toggleModeOfSelected("muted") },
    { label: t("menuBypass"), keys: "Ctrl+B", run: () => toggleModeOfSelected("bypassed") },
    { label: t("menuCollapse"), keys: "Alt+C", run: () => toggleCollapsed() },
    { label: t("menuFrame"), keys: "Ctrl+G", starts: true, run: frameSelected },
    { label: t("menuPack"), keys: "Ctrl+Shift+E", run: packSelected },
    ...loopChoices(),
  ];
}

function colours(): MenuEntry[] {
  const named = CARD_COLOURS.map((color, index): MenuEntry => {
    const swatch = ownColour(color);
    return {
      label: t(`colour_${color}`),
      starts: index === 0,
      run: () => colourSelected(color),
      ...(swatch && { swatch }),
    };
  });
  return [...named, { label: t("colour_none"), run: () => colourSelected(undefined) }];
}

function cardEntries(id: string): MenuEntry[] {
  const entry = nodeOf(currentGraph(), id);
  const inside = subgraphName(entry?.type ?? "");
  const subgraph: MenuEntry[] = [
    { label: t("menuOpen"), keys: "Shift+Enter", starts: true, run: () => enterNode(id) },
    { label: t("menuUnpack"), keys: "Ctrl+Shift+U", run: () => unpack(id) },
    { label: t("menuSaveAsNode"), run: () => askOwnNode({ kind: "save", subgraph: inside ?? "" }) },
  ];
  const swap: MenuEntry = { label: t("menuSwap"), run: () => openSearch({ at: [0, 0], swap: id }) };
  return [
    ...common(),
    swap,
    ...(inside === undefined ? bodyEntries(id) : subgraph),
    ...socketEntries(id),
    ...boundaryEntries(id),
    ...colours(),
  ];
}

/** The bodies of a loop; most have one. */
function bodyEntries(id: string): MenuEntry[] {
  return insidesOf(currentTab(), id).map(({ name, input }, index) => ({
    label: t("menuOpenBody", { body: name }),
    starts: index === 0,
    run: () => enterNode(id, input),
    ...(index === 0 && { keys: "Shift+Enter" }),
  }));
}

/** Inside a subgraph, sockets may be shown outside, or no longer. */
function boundaryEntries(id: string): MenuEntry[] {
  const scope = scopeOf(currentTab());
  const subgraph = scope === null ? undefined : lookUp(currentWorkflow().subgraphs, scope);
  const type = nodeTypeNow(id);
  if (scope === null || subgraph === undefined || type === undefined) return [];
  const inputs = type.inputs.map(({ name }) => boundaryEntry(scope, subgraph, "inputs", [id, name]));
  const outputs = type.outputs.map(({ name }) => boundaryEntry(scope, subgraph, "outputs", [id, name]));
  return [...inputs, ...outputs].map((entry, index) => ({ ...entry, starts: index === 0 }));
}

function boundaryEntry(scope: string, subgraph: SubgraphEntry, side: Side, at: Link): MenuEntry {
  const outer = exposedName(subgraph, side, at);
  const expose = side === "inputs" ? exposeInput : exposeOutput;
  return outer === undefined
    ? {
        label: t(side === "inputs" ? "menuExposeInput" : "menuExposeOutput", { socket: at[1] }),
        run: () => edit({ name: t("stepExpose") }, (graph) => expose(graph as SubgraphEntry, at)),
      }
    : {
        label: t("menuConceal", { socket: at[1] }),
        run: () =>
          editWorkflow({ name: t("stepExpose") }, (workflow) => concealSocket(workflow, scope, side, outer)),
      };
}

/** Each widget may become a socket, and back. */
function socketEntries(id: string): MenuEntry[] {
  const shown = nodeOf(currentGraph(), id)?.ui?.sockets ?? [];
  const inputs = nodeTypeNow(id)?.inputs.filter((input) => widgetKind(input) !== undefined) ?? [];
  return inputs.map(({ name }, index) => ({
    label: t(shown.includes(name) ? "menuToWidget" : "menuToSocket", { input: name }),
    starts: index === 0,
    run: () => toggleSocket(id, name),
  }));
}

function severalEntries(): MenuEntry[] {
  const sides = ["left", "right", "top", "bottom", "centre", "middle"] as const;
  const axes = ["horizontal", "vertical"] as const;
  return [
    ...common(),
    ...sides.map((side, index) => ({
      label: t(`align_${side}`),
      starts: index === 0,
      run: () => alignSelected(side),
    })),
    ...axes.map((axis) => ({ label: t(`distribute_${axis}`), run: () => distributeSelected(axis) })),
    { label: t("menuLayout"), keys: "Ctrl+Shift+L", run: () => void layOut() },
    ...colours(),
  ];
}

function frameEntries(id: string): MenuEntry[] {
  const paint = (color: string | undefined) =>
    edit({ name: t("stepColour") }, (graph) => {
      const groups = groupsOf(graph).find((group) => group.id === id);
      return groups ? updateGroup(graph, id, { color: color ?? "" }) : graph;
    });
  const named = CARD_COLOURS.map((color) => {
    const swatch = ownColour(color);
    return { label: t(`colour_${color}`), run: () => paint(color), ...(swatch && { swatch }) };
  });
  return [
    { label: t("menuRemove"), keys: "Delete", run: removeSelected },
    ...named,
    { label: t("colour_none"), run: () => paint(undefined) },
  ];
}

function removeRerouteEntry(id: string): MenuEntry {
  return {
    label: t("menuRemove"),
    run: () => edit({ name: t("stepRemove") }, (graph) => removeReroute(graph, id)),
  };
}

function wireEntries(id: string, { at }: MenuRequest): MenuEntry[] {
  const wired = readWireId(id);
  if (wired === undefined) return [];
  const { target, input } = wired;
  const add = () =>
    edit({ name: t("stepReroute") }, (graph) => {
      const source = sourceOf(target, input, wired.index);
      const fresh = freshId(Object.keys(reroutesOf(graph)), "reroute");
      return source ? addReroute(graph, fresh, { target, input, source, position: at }) : graph;
    });
  return [
    { label: t("menuReroute"), run: add },
    { label: t("menuRemove"), run: () => unplug(target, input) },
    {
      label: t("menuGoToSource"),
      starts: true,
      run: () => select([sourceOf(target, input, wired.index)?.[0] ?? ""]),
    },
  ];
}

function sourceOf(target: string, input: string, index: number) {
  return linkList(nodeOf(currentGraph(), target)?.links?.[input])[index];
}
