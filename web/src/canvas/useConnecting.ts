import {
  useReactFlow,
  type Connection,
  type FinalConnectionState,
  type HandleType,
  type OnConnectStartParams,
  type ReactFlowProps,
} from "@xyflow/react";
import { useCallback, useRef } from "react";
import { tell } from "@/state/announcer";
import { edit } from "@/state/documents";
import { nodeTypeNow } from "@/state/shownTypes";
import { openSearch, useSurface, type End } from "@/state/surface";
import { disconnect } from "@/model/wires";
import { t } from "@/strings";
import { endOfHandle } from "./ends";
import { readWireId, type FlowEdge, type FlowNode } from "./flow";
import { bestSocket, moveWire, opposite, outputInto, typeOfEnd, unplug, whyRefused, wire } from "./wiring";

type Props = Pick<
  ReactFlowProps<FlowNode, FlowEdge>,
  | "onConnect"
  | "onConnectStart"
  | "onConnectEnd"
  | "isValidConnection"
  | "onReconnect"
  | "onReconnectStart"
  | "onReconnectEnd"
>;

interface Drawn {
  source: string;
  target: string;
  sourceHandle?: string | null;
  targetHandle?: string | null;
}

function endsOfDrawn({ source, target, sourceHandle = null, targetHandle = null }: Drawn): [End, End] {
  return [
    endOfHandle({ nodeId: source, id: sourceHandle, type: "source" }),
    endOfHandle({ nodeId: target, id: targetHandle, type: "target" }),
  ];
}

/** Drawing wires with the pointer, and pulling them out again. */
export function useConnecting(): Props {
  const { screenToFlowPosition } = useReactFlow();
  const pulled = useRef<FlowEdge>(undefined);

  const onConnect = useCallback((connection: Connection) => wire(...endsOfDrawn(connection)), []);
  const isValidConnection = useCallback(
    (connection: Drawn) => whyRefused(...endsOfDrawn(connection)) === undefined,
    [],
  );
  const onConnectStart = useCallback((_: unknown, { nodeId, handleId, handleType }: OnConnectStartParams) => {
    if (nodeId === null || handleType === null) return;
    const end = endOfHandle({ nodeId, id: handleId, type: handleType });
    const output = end.side === "input" ? outputInto(end) : undefined;
    useSurface.setState(output ? { drawing: output, pulled: end } : { drawing: end, pulled: undefined });
  }, []);
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const { drawing: from, pulled: input } = useSurface.getState();
      useSurface.setState({ drawing: undefined, pulled: undefined });
      if (from === undefined || state.isValid || pulled.current) return;
      if (input)
        dropPulled(from, input, state.toHandle ? endOfHandle(state.toHandle) : endUnder(event, from));
      else if (state.toHandle) tell(whyRefused(from, endOfHandle(state.toHandle)) ?? "");
      else if (cardUnder(event)) dropOnCard(from, cardUnder(event) ?? "");
      else dropOnCanvas(from, screenToFlowPosition(pointOf(event)));
    },
    [screenToFlowPosition],
  );
  const onReconnectStart = useCallback((_: unknown, edge: FlowEdge, side: HandleType) => {
    pulled.current = side === "source" ? edge : undefined; // the end that moves is the other one
  }, []);
  const onReconnect = useCallback((edge: FlowEdge, connection: Connection) => {
    const before = readWireId(edge.id);
    const [from, to] = endsOfDrawn(connection);
    if (before === undefined) return wire(from, to);
    moveWire(from, { node: before.target, socket: before.input, side: "input" }, to, edge.data?.source);
  }, []);
  const onReconnectEnd = useCallback(
    (_: unknown, edge: FlowEdge, __: HandleType, state: FinalConnectionState) => {
      const wired = readWireId(edge.id);
      pulled.current = undefined;
      if (wired && !state.isValid && !state.toHandle)
        edit({ name: t("stepDisconnect") }, (graph) =>
          disconnect(graph, wired.target, wired.input, edge.data?.source),
        );
    },
    [],
  );
  return {
    onConnect,
    isValidConnection,
    onConnectStart,
    onConnectEnd,
    onReconnect,
    onReconnectStart,
    onReconnectEnd,
  };
}

function pointOf(event: MouseEvent | TouchEvent): { x: number; y: number } {
  const touch = "changedTouches" in event ? event.changedTouches[0] : undefined;
  const { clientX, clientY } = touch ?? (event as MouseEvent);
  return { x: clientX, y: clientY };
}

function cardUnder(event: MouseEvent | TouchEvent): string | undefined {
  const { x, y } = pointOf(event);
  return document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-node]")?.dataset.node;
}

/** The socket of the card under the pointer that an end fits best. */
function endUnder(event: MouseEvent | TouchEvent, from: End): End | undefined {
  const node = cardUnder(event);
  const type = node === undefined ? undefined : nodeTypeNow(node);
  const socket = type && bestSocket(from, typeOfEnd(from), type);
  return node === undefined || socket === undefined ? undefined : { node, socket, side: opposite(from.side) };
}

/** A wire that was pulled out of an input goes into the one it is let go over, or nowhere. */
function dropPulled(from: End, input: End, to: End | undefined): void {
  if (to === undefined) return unplug(input.node, input.socket, from);
  if (to.node === input.node && to.socket === input.socket) return;
  const why = whyRefused(from, to);
  if (why === undefined) moveWire(from, input, to);
  else tell(why);
}

/** Let go over a card, a wire takes the socket that fits best. */
function dropOnCard(from: End, node: string): void {
  const type = nodeTypeNow(node);
  const socket = type && node !== from.node ? bestSocket(from, typeOfEnd(from), type) : undefined;
  if (socket === undefined) return;
  const end: End = { node, socket, side: opposite(from.side) };
  const why = whyRefused(from, end);
  if (why === undefined) wire(from, end);
  else tell(why);
}

/** Let go over nothing, an end asks for a new node. */
function dropOnCanvas(from: End, at: { x: number; y: number }): void {
  openSearch({ at: [at.x, at.y], from });
}
