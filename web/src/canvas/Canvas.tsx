import {
  ConnectionMode,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  type EdgeTypes,
  type NodeTypes,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useRef } from "react";
import { useSettings } from "@/state/settings";
import { useSurface } from "@/state/surface";
import { t } from "@/strings";
import { useTheme } from "@/theme/useTheme";
import { ConnectPalette } from "./ConnectPalette";
import { ContextMenu } from "./ContextMenu";
import { DrawnWire } from "./DrawnWire";
import { EmptyHint } from "./EmptyHint";
import { FarLayer } from "./FarLayer";
import type { FlowEdge, FlowNode } from "./flow";
import { Frame } from "./Frame";
import { GRID } from "./geometry";
import "./canvas.css";
import { useCanvasKeys } from "./keyboard";
import { Minimap } from "./Minimap";
import { NodeCard } from "./NodeCard";
import { Reroute } from "./Reroute";
import { SearchPalette } from "./SearchPalette";
import { useConnecting } from "./useConnecting";
import { LARGE, useFar } from "./useFar";
import { useFarDrag } from "./useFarDrag";
import { useFarGestures } from "./useFarGestures";
import { useFlow } from "./useFlow";
import { useGestures } from "./useGestures";
import { useViewport } from "./useViewport";
import { LEAST_ZOOM } from "./wholeView";
import { Wire } from "./Wire";

const NODE_TYPES: NodeTypes = { card: NodeCard, frame: Frame, reroute: Reroute };
const EDGE_TYPES: EdgeTypes = { wire: Wire };
const SNAP: [number, number] = [GRID, GRID];
const NO_EDGES: FlowEdge[] = [];
const WITH_LEFT_AND_MIDDLE = [0, 1];

const hiddenOf = new WeakMap<readonly FlowNode[], FlowNode[]>();

/** The same nodes, not mounted; React Flow keeps their places. */
function hidden(nodes: FlowNode[]): FlowNode[] {
  const known = hiddenOf.get(nodes) ?? nodes.map((node) => ({ ...node, hidden: true }));
  hiddenOf.set(nodes, known);
  return known;
}

/** The canvas with everything that opens over it. */
export function Canvas() {
  return (
    <ReactFlowProvider>
      <Board />
    </ReactFlowProvider>
  );
}

function Board() {
  const theme = useTheme();
  const snap = useSettings((settings) => settings.snap);
  const minimap = useSettings((settings) => settings.minimap);
  const drawing = useSurface((surface) => surface.drawing !== undefined);
  const board = useRef<HTMLDivElement>(null);
  const { dragging, ...flow } = useFlow();
  const large = flow.nodes.length > LARGE;
  const small = useFar(large);
  const far = small && large;
  const farGestures = useFarGestures(flow.nodes);
  const farDrag = useFarDrag(flow.nodes, dragging);
  const connecting = useConnecting();
  const gestures = useGestures();
  const view = useViewport(flow.nodes);
  useCanvasKeys(board);
  return (
    <div
      ref={board}
      className={["board", drawing && "drawing", !small && "near"].filter(Boolean).join(" ")}
      data-region="canvas"
      role="region"
      tabIndex={0}
      aria-label={t("canvas")}
      {...(far && farDrag)}
    >
      <ReactFlow
        {...flow}
        nodes={far ? hidden(flow.nodes) : flow.nodes}
        edges={far ? NO_EDGES : flow.edges}
        {...(far && farGestures)}
        {...connecting}
        {...gestures}
        {...view}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={theme}
        connectionLineComponent={DrawnWire}
        connectionMode={ConnectionMode.Strict}
        connectionRadius={24}
        onlyRenderVisibleElements
        elevateNodesOnSelect
        edgesReconnectable
        nodesFocusable
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={["Control", "Meta", "Shift"]}
        multiSelectionKeyCode={["Control", "Meta", "Shift"]}
        selectionMode={SelectionMode.Partial}
        panOnDrag={WITH_LEFT_AND_MIDDLE}
        zoomOnDoubleClick={false}
        snapToGrid={snap}
        snapGrid={SNAP}
        minZoom={LEAST_ZOOM}
        maxZoom={3}
        proOptions={{ hideAttribution: true }}
        attributionPosition="bottom-left"
      >
        {far && <FarLayer nodes={flow.nodes} edges={flow.edges} />}
        {minimap && flow.nodes.length > 0 && <Minimap nodes={flow.nodes} />}
      </ReactFlow>
      <EmptyHint />
      <SearchPalette />
      <ConnectPalette />
      <ContextMenu />
    </div>
  );
}
