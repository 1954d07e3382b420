/**
 * Where everything on a card is, in pixels of the canvas.
 *
 * Rows have fixed heights, so the place of every socket is known before a card is mounted: wires to cards that
 * are off-screen are right, and a thousand cards open without being measured. `NodeCard.css` keeps to these numbers.
 */
import type { NodeEntry } from "@/model/document";
import type { SizeOf } from "@/model/groups";
import { tensorOutputs } from "@/model/tensors";
import { nodeTypeOf, type NodeType, type Place } from "@/state/nodeTypes";
import { cardRows, type Row } from "./rows";

export const CARD_WIDTH = 240;
export const HEADER = 32;
export const ROW = 24;
export const PADDING = 4;
export const REROUTE = 16;
/** What cards snap to. */
export const GRID = 8;

/** What a card needs below its rows, about: its plan in a line, a line for what goes between nodes, pictures. */
const [FOOT, TENSOR, RESULT] = [28, 48, 240];

export interface SocketPlace {
  id: string;
  type: "source" | "target";
  x: number;
  y: number;
}

export interface CardGeometry {
  width: number;
  height: number;
  sockets: SocketPlace[];
}

const known = new WeakMap<NodeEntry, { type: NodeType; geometry: CardGeometry }>();

/** Size of a card without what it shows below its rows, and the centres of its sockets. */
export function cardGeometry(entry: NodeEntry, type: NodeType): CardGeometry {
  const last = known.get(entry);
  if (last?.type === type) return last.geometry;
  const geometry = measured(entry, type);
  known.set(entry, { type, geometry });
  return geometry;
}

function measured(entry: NodeEntry, type: NodeType): CardGeometry {
  const width = entry.ui?.size?.[0] ?? CARD_WIDTH;
  const rows = cardRows(entry, type);
  if (entry.ui?.collapsed) return { width, height: HEADER, sockets: folded(rows, width) };
  const sockets: SocketPlace[] = [];
  let top = HEADER + PADDING;
  for (const row of rows) {
    sockets.push(...socketsOf(row, width, top + ROW / 2));
    top += row.height;
  }
  return { width, height: top + PADDING, sockets };
}

/** The room that cards take with what a run will show on them, to place them before there is any. */
export function roomOf(place: Place): SizeOf {
  return (id, entry) => {
    const type = nodeTypeOf(id, entry, place);
    const { width, height } = cardGeometry(entry, type);
    if (entry.ui?.collapsed) return [width, height];
    return [width, height + FOOT + (type.terminal ? RESULT : TENSOR * tensorOutputs(type.outputs).length)];
  };
}

function socketsOf(row: Row, width: number, y: number): SocketPlace[] {
  const places: SocketPlace[] = [];
  if (row.input) places.push({ id: row.input.name, type: "target", x: 0, y });
  if (row.output) places.push({ id: row.output.name, type: "source", x: width, y });
  return places;
}

/** A collapsed card has all its sockets at the middle of its header. */
function folded(rows: readonly Row[], width: number): SocketPlace[] {
  return rows.flatMap((row) => socketsOf(row, width, HEADER / 2));
}
