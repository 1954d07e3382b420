import { lookUp, type NodeEntry } from "@/model/document";
import type { InputType, NodeType, OutputType } from "@/state/nodeTypes";
import { widgetKind, widgetHeight, type WidgetKind } from "@/widgets/kinds";

/** One row of a card: a pair of sockets, or a widget with its own socket. */
export interface Row {
  key: string;
  height: number;
  input?: InputType;
  output?: OutputType;
  /** Absent where the input is shown as a socket. */
  widget?: WidgetKind;
}

export const SOCKET_ROW = 24;

/** Whether an input is shown as a socket: nothing else can feed it, it is wired, or a person wants it so. */
export function shownAsSocket(entry: NodeEntry, input: InputType): boolean {
  return (
    widgetKind(input) === undefined ||
    lookUp(entry.links, input.name) !== undefined ||
    (entry.ui?.sockets?.includes(input.name) ?? false)
  );
}

/** The rows of a card: sockets first, inputs beside outputs, then widgets in the order of the signature. */
export function cardRows(entry: NodeEntry, type: NodeType): Row[] {
  const plain = type.inputs.filter((input) => widgetKind(input) === undefined);
  const others = type.inputs.filter((input) => widgetKind(input) !== undefined);
  const pairs = Array.from({ length: Math.max(plain.length, type.outputs.length) }, (_, index) =>
    pairRow(plain[index], type.outputs[index]),
  );
  return [...pairs, ...others.map((input) => widgetRow(entry, input))];
}

function pairRow(input: InputType | undefined, output: OutputType | undefined): Row {
  const key = `${input?.name ?? ""}>${output?.name ?? ""}`;
  return { key, height: SOCKET_ROW, ...(input && { input }), ...(output && { output }) };
}

function widgetRow(entry: NodeEntry, input: InputType): Row {
  const kind = widgetKind(input);
  if (kind === undefined || shownAsSocket(entry, input))
    return { key: input.name, height: SOCKET_ROW, input };
  return { key: input.name, height: widgetHeight(kind), input, widget: kind };
}
