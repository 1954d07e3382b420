import type { EdgeChange, NodeChange, OnNodeDrag, ReactFlowProps } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Point } from "@/model/document";
import { moveNodes } from "@/model/edit";
import { groupsOf, nodesInGroup, updateGroup } from "@/model/groups";
import { moveReroute } from "@/model/reroutes";
import { useCatalogue } from "@/state/catalogue";
import {
  currentGraph,
  currentTab,
  edit,
  graphOf,
  scopeOf,
  select,
  useTab,
  workflowOf,
} from "@/state/documents";
import { typingOf } from "@/state/typings";
import { t } from "@/strings";
import { provideSizes, rowsSize } from "./cardSizes";
import { FlowEdges, FlowNodes, readFlowId, type FlowEdge, type FlowNode } from "./flow";
import { REROUTE } from "./geometry";

export type Places = ReadonlyMap<string, { x: number; y: number }>;
type Flow = Pick<
  ReactFlowProps<FlowNode, FlowEdge>,
  "onNodesChange" | "onEdgesChange" | "onNodeDragStart" | "onNodeDragStop"
> & { nodes: FlowNode[]; edges: FlowEdge[] };

/** Moving cards about where React Flow has none of them mounted. */
export interface Dragging {
  readonly move: (places: Places) => void;
  readonly letGo: () => void;
}

const STILL: Places = new Map();

/** The document as React Flow draws it, and what is done with the mouse written back to the document. */
export function useFlow(): Flow & { dragging: Dragging } {
  const graph = useTab(graphOf);
  const workflow = useTab(workflowOf);
  const selection = useTab((tab) => tab.selection);
  const scene = useTab((tab) => `${tab.key}\n${scopeOf(tab) ?? ""}`);
  const catalogue = useCatalogue((state) => state.catalogue);
  const [measured, setMeasured] = useState(0);
  const [moving, setMoving] = useState(STILL);
  // One drawing for each graph that is shown: sizes of one must not be taken for those of another.
  const { nodes: drawnNodes, edges: drawnEdges } = useMemo(
    () => ({ scene, nodes: new FlowNodes(), edges: new FlowEdges() }),
    [scene],
  );
  const typing = useTab((tab) => typingOf(tab, catalogue));
  useEffect(() => provideSizes((id) => drawnNodes.sizeOf(id)), [drawnNodes]);
  const context = useMemo(
    () => ({ graph, workflow, catalogue, typing, selection, measured }),
    [graph, workflow, catalogue, typing, selection, measured],
  );
  const still = useMemo(() => drawnNodes.draw(context), [drawnNodes, context]);
  const edges = useMemo(() => drawnEdges.draw(context), [drawnEdges, context]);
  const nodes = useMemo(() => withPlaces(still, moving), [still, moving]);
  const carried = useRef<readonly string[]>([]);

  const move = useCallback((places: Places) => {
    setMoving((before) => follow(new Map([...before, ...places]), carried.current));
  }, []);
  const onNodesChange = useCallback(
    (changes: NodeChange<FlowNode>[]) => {
      if (noteSizes(changes, drawnNodes)) setMeasured((count) => count + 1);
      const moved = changes.flatMap((change) =>
        change.type === "position" && change.position ? [[change.id, change.position] as const] : [],
      );
      if (moved.length > 0) move(new Map(moved));
      applySelection(changes);
    },
    [drawnNodes, move],
  );
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => applySelection(changes), []);
  const onNodeDragStart: OnNodeDrag<FlowNode> = useCallback((_, node) => {
    carried.current = node.type === "frame" ? carriedBy(node.id) : [];
  }, []);
  const onNodeDragStop = useCallback(() => {
    setMoving((places) => {
      queueMicrotask(() => keepPlaces(places));
      return STILL;
    });
    carried.current = [];
  }, []);
  const dragging = useMemo(() => ({ move, letGo: onNodeDragStop }), [move, onNodeDragStop]);
  return { nodes, edges, onNodesChange, onEdgesChange, onNodeDragStart, onNodeDragStop, dragging };
}

function withPlaces(nodes: FlowNode[], places: Places): FlowNode[] {
  if (places.size === 0) return nodes;
  return nodes.map((node) => {
    const position = places.get(node.id);
    return position ? { ...node, position, dragging: true } : node;
  });
}

function noteSizes(changes: readonly NodeChange<FlowNode>[], nodes: FlowNodes): boolean {
  let news = false;
  for (const change of changes) {
    if (change.type !== "dimensions" || !change.dimensions || readFlowId(change.id).kind !== "card") continue;
    const { width, height } = change.dimensions;
    const known = nodes.sizeOf(change.id);
    if (known?.width === width && known.height === height) continue;
    nodes.measure(change.id, { width, height });
    news = true;
  }
  return news;
}

function applySelection(changes: readonly (NodeChange<FlowNode> | EdgeChange<FlowEdge>)[]): void {
  const selection = new Set(currentTab().selection);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) selection.add(change.id);
    else selection.delete(change.id);
  }
  select(selection);
}

/** The first of what is carried is the frame itself, with where it and the others began. */
function carriedBy(flowId: string): readonly string[] {
  const { id } = readFlowId(flowId);
  const group = groupsOf(currentGraph()).find((candidate) => candidate.id === id);
  return group ? [flowId, ...nodesInGroup(currentGraph(), group, rowsSize)] : [];
}

/** Nodes in a frame go where it goes. */
function follow(places: Places, [frame, ...inside]: readonly string[]): Places {
  const group = frame && groupsOf(currentGraph()).find(({ id }) => id === readFlowId(frame).id);
  const now = frame === undefined ? undefined : places.get(frame);
  if (!group || !now) return places;
  const [dx, dy] = [now.x - group.position[0], now.y - group.position[1]];
  const nodes = currentGraph().nodes ?? {};
  const carried = inside.map((id) => {
    const [x, y] = nodes[id]?.ui?.position ?? [0, 0];
    return [id, { x: x + dx, y: y + dy }] as const;
  });
  return new Map([...places, ...carried]);
}

/** Where things were let go is one step of undo. */
function keepPlaces(places: Places): void {
  const cards = new Map<string, Point>();
  for (const [id, { x, y }] of places) if (readFlowId(id).kind === "card") cards.set(id, [x, y]);
  edit({ name: t("stepMove") }, (graph) => {
    let changed = moveNodes(graph, cards);
    for (const [flowId, { x, y }] of places) {
      const { kind, id } = readFlowId(flowId);
      if (kind === "frame") changed = updateGroup(changed, id, { position: [x, y] });
      if (kind === "reroute") changed = moveReroute(changed, id, [x + REROUTE / 2, y + REROUTE / 2]);
    }
    return changed;
  });
}
