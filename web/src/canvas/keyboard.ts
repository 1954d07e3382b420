import { useReactFlow } from "@xyflow/react";
import { useEffect, type RefObject } from "react";
import { registerCommands, isInField, type Command } from "@/app/commands";
import { nodesOf, type Point } from "@/model/document";
import { announce } from "@/state/announcer";
import { currentGraph, currentTab, leaveTo, redo, select, undo, enterNode } from "@/state/documents";
import { openConnect, openMenu, openSearch, useSurface } from "@/state/surface";
import { t } from "@/strings";
import {
  copySelected,
  duplicateSelected,
  frameSelected,
  layOut,
  moveSelectedBy,
  packSelected,
  removeSelected,
  selectAll,
  selectedNodes,
  titleOf,
  toggleCollapsed,
  toggleModeOfSelected,
  unpack,
} from "./actions";
import { bringIntoView, type Flow } from "./bringIntoView";
import { focusCanvas, focusedNode, focusInside, focusNode } from "./focus";
import { readFlowId } from "./flow";
import { nearestIn, readingOrder, type Direction } from "./navigation";
import { pasteText } from "./pasting";
import { addPicture } from "./pictures";
import { placeInView, provideView, type WindowPoint } from "./placeInView";
import { nodeTypeNow } from "@/state/shownTypes";
import { pictureIn } from "@/widgets/uploads";
import { showEverything } from "./wholeView";
import { endsOf } from "./wiring";

const STEP = 8;

/** Every key of the canvas. */
export function useCanvasKeys(board: RefObject<HTMLElement | null>): void {
  const flow = useReactFlow();
  useEffect(() => registerCommands(canvasCommands(flow)), [flow]);
  useEffect(() => provideView((place) => pointOn(flow, board, place)), [flow, board]);
  useEffect(() => listenForPaste(flow, board), [flow, board]);
}

function pointOn(flow: Flow, board: RefObject<HTMLElement | null>, place?: WindowPoint): Point {
  const box = board.current?.getBoundingClientRect() ?? new DOMRect();
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 3 };
  const { x, y } = flow.screenToFlowPosition(place ?? middle);
  return [x, y];
}

function canvasCommands(flow: Flow): Command[] {
  const command = (
    id: Command["id"],
    label: Command["label"],
    keys: readonly string[],
    run: () => void,
  ): Command => ({
    id,
    label,
    keys,
    where: "canvas",
    run,
  });
  const go = (direction: Direction) => () => goIn(flow, direction);
  return [
    command("search", "keySearch", ["Tab", "/"], () => openSearch({ at: placeInView() })),
    command("remove", "keyRemove", ["Delete", "Backspace"], removeSelected),
    command("mute", "keyMute", ["Ctrl+M"], () => toggleModeOfSelected("muted")),
    command("bypass", "keyBypass", ["Ctrl+B"], () => toggleModeOfSelected("bypassed")),
    command("collapse", "keyCollapse", ["Alt+C"], () => toggleCollapsed()),
    command("copy", "keyCopy", ["Ctrl+C"], () => void copySelected()),
    { ...command("paste", "keyPaste", ["Ctrl+V"], nothing), where: "browser" },
    { ...command("pasteLinked", "keyPasteLinked", ["Ctrl+Shift+V"], nothing), where: "browser" },
    command("duplicate", "keyDuplicate", ["Ctrl+D"], duplicateSelected),
    command("all", "keySelectAll", ["Ctrl+A"], selectAll),
    command("frame", "keyFrame", ["Ctrl+G"], frameSelected),
    command("pack", "keyPack", ["Ctrl+Shift+E"], packSelected),
    command("unpack", "keyUnpack", ["Ctrl+Shift+U"], () => selectedNodes().forEach(unpack)),
    command("layout", "keyLayout", ["Ctrl+Shift+L"], () => void layOut()),
    command("fit", "keyFit", [".", "F"], () => showEverything(flow)),
    command("zoomIn", "keyZoomIn", ["+", "Ctrl++", "Ctrl+="], () => void flow.zoomIn()),
    command("zoomOut", "keyZoomOut", ["-", "Ctrl+-"], () => void flow.zoomOut()),
    command("next", "keyNext", ["]", "N"], () => goInOrder(flow, 1)),
    command("previous", "keyPrevious", ["[", "Shift+N"], () => goInOrder(flow, -1)),
    command("goLeft", "keyGoLeft", ["Alt+ArrowLeft"], go("left")),
    command("goRight", "keyGoRight", ["Alt+ArrowRight"], go("right")),
    command("goUp", "keyGoUp", ["Alt+ArrowUp"], go("up")),
    command("goDown", "keyGoDown", ["Alt+ArrowDown"], go("down")),
    command("left", "keyMove", ["ArrowLeft"], () => moveSelectedBy(-STEP, 0)),
    command("right", "keyMove", ["ArrowRight"], () => moveSelectedBy(STEP, 0)),
    command("up", "keyMove", ["ArrowUp"], () => moveSelectedBy(0, -STEP)),
    command("down", "keyMove", ["ArrowDown"], () => moveSelectedBy(0, STEP)),
    command("enter", "keyEnter", ["Enter"], enterCard),
    command("open", "keyOpenSubgraph", ["Shift+Enter"], () =>
      selectedNodes()
        .slice(0, 1)
        .forEach((id) => enterNode(id)),
    ),
    command("connect", "keyConnect", ["C"], () => connectFocused("output")),
    command("connectInput", "keyConnectInput", ["Shift+C"], () => connectFocused("input")),
    command("menu", "keyMenu", ["ContextMenu", "Shift+F10"], openMenuOfFocused),
    { ...command("leave", "keyLeave", ["Escape"], leave), where: "everywhere" },
    { ...command("undo", "keyUndo", ["Ctrl+Z"], undo), where: "everywhere" },
    { ...command("redo", "keyRedo", ["Ctrl+Y", "Ctrl+Shift+Z"], redo), where: "everywhere" },
  ];
}

/** A paste is an event of its own, see `listenForPaste`. */
const nothing = () => undefined;

function goInOrder(flow: Flow, step: 1 | -1): void {
  const order = readingOrder(currentGraph());
  const at = order.indexOf(focusedNode() ?? selectedNodes()[0] ?? "");
  const next = order[(at + step + order.length) % order.length];
  if (next !== undefined) show(flow, next);
}

function goIn(flow: Flow, direction: Direction): void {
  const from = focusedNode() ?? selectedNodes()[0];
  const next =
    from === undefined ? readingOrder(currentGraph())[0] : nearestIn(currentGraph(), from, direction);
  if (next !== undefined) show(flow, next);
}

/** Select a node, bring it into view, focus and announce it. */
function show(flow: Flow, id: string): void {
  select([id]);
  bringIntoView(flow, id);
  announce(t("saidNode", { title: titleOf(id), inputs: wiredInputs(id) }));
}

function wiredInputs(id: string): number {
  return Object.keys(nodesOf(currentGraph())[id]?.links ?? {}).length;
}

function enterCard(): void {
  const id = focusedNode() ?? selectedNodes()[0];
  if (id !== undefined) focusInside(id);
}

/** From a field back to its card, from a card to the canvas, from a subgraph out of it. */
function leave(): void {
  const card = focusedNode();
  const inside = document.activeElement?.classList.contains("react-flow__node") === false;
  if (card !== undefined && inside) return focusNode(card);
  if (currentTab().selection.size > 0) {
    select([]);
    return focusCanvas();
  }
  const depth = currentTab().trail.length - 1;
  if (depth > 0 && !isInField(document.activeElement)) leaveTo(depth - 1);
}

function connectFocused(side: "input" | "output"): void {
  const id = focusedNode() ?? selectedNodes()[0];
  const type = id === undefined ? undefined : nodeTypeNow(id);
  if (id === undefined || type === undefined) return;
  const ends = endsOf(id, type, side);
  if (ends.length > 0) openConnect(ends);
}

function openMenuOfFocused(): void {
  const id = focusedNode();
  const box = (document.activeElement ?? document.body).getBoundingClientRect();
  openMenu({
    x: box.left + 24,
    y: box.top + 24,
    target: id === undefined ? { kind: "canvas", id: "" } : readFlowId(id),
    at: [0, 0],
  });
}

/** The browser tells of a paste; where the pointer was last is where nodes go. */
function listenForPaste(flow: Flow, board: RefObject<HTMLElement | null>): () => void {
  let pointer: { x: number; y: number } | undefined;
  let withLinks = false;
  const noteShift = ({ shiftKey }: KeyboardEvent) => (withLinks = shiftKey);
  const follow = (event: PointerEvent) => {
    pointer = { x: event.clientX, y: event.clientY };
  };
  const onPaste = (event: ClipboardEvent) => {
    if (isInField(event.target) || useSurface.getState().search) return;
    const picture = pictureIn(event.clipboardData);
    if (picture) {
      event.preventDefault();
      return void addPicture(picture, pointer);
    }
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const place = pointer && flow.screenToFlowPosition(pointer);
    event.preventDefault();
    void pasteText(text, place ? [place.x, place.y] : undefined, withLinks);
  };
  const canvas = board.current;
  canvas?.addEventListener("pointermove", follow);
  document.addEventListener("paste", onPaste);
  document.addEventListener("keydown", noteShift, true);
  return () => {
    document.removeEventListener("keydown", noteShift, true);
    canvas?.removeEventListener("pointermove", follow);
    document.removeEventListener("paste", onPaste);
  };
}
