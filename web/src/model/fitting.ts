/** Which types of node an end of a wire fits, and which of them are likely wanted. */
import { gathers, listOf, socketType, wiring, type Bases, type SocketType } from "./sockets";
import type { Signature } from "./typing";

/** The end of a wire that something is looked for. */
export interface LooseEnd {
  readonly side: "input" | "output";
  readonly type: string;
  /** The category of the node that it is at. */
  readonly category: string;
}

interface Socket {
  readonly name: string;
  readonly type: string;
  readonly required?: boolean;
}

export interface Candidate extends Signature {
  readonly title: string;
  readonly category: string;
  /** Whether a run may end in it. */
  readonly terminal: boolean;
  /** Names of templates that use it. */
  readonly examples: readonly string[];
  readonly inputs: readonly Socket[];
  readonly outputs: readonly Socket[];
}

/** The socket that an end fits best: the same type before one that takes anything. */
export function bestSocket(
  { side, type }: Pick<LooseEnd, "side" | "type">,
  { inputs, outputs }: Pick<Candidate, "inputs" | "outputs">,
  bases: Bases,
): Socket | undefined {
  const fitting =
    side === "output"
      ? inputs.filter((input) => fits(type, input.type, bases))
      : outputs.filter((output) => fits(output.type, type, bases));
  return (
    fitting.find((socket) => isSame(socket.type, type)) ??
    fitting.find((socket) => !isOpen(socket.type)) ??
    fitting[0]
  );
}

function fits(given: string, wanted: string, bases: Bases): boolean {
  const [source, target] = [socketType(given), socketType(wanted)];
  return (
    wiring(source, target, bases) !== undefined ||
    (gathers(target) && wiring(listOf(source), target, bases) === "direct")
  );
}

const core = (type: SocketType): SocketType => (type.kind === "list" ? core(type.element) : type);

/** Whether two types are the same, but for lists. */
function isSame(one: string, other: string): boolean {
  return core(socketType(one)).name === core(socketType(other)).name;
}

function isOpen(type: string): boolean {
  return ["any", "var"].includes(core(socketType(type)).kind);
}

/** Nodes that so many templates use are what people look for most. */
const COMMON = 3;

/**
 * The types that an end fits, the likeliest first.
 *
 * Those that take anything come last. Before them: where a run may end; what cannot do without the wire; what takes
 * just this type; what many templates use; what is of the same category.
 */
export function rankFitting<T extends Candidate>(types: readonly T[], end: LooseEnd, bases: Bases): T[] {
  const ranked = types.flatMap((type) => {
    const socket = bestSocket(end, type, bases);
    return socket ? [{ type, place: placeOf(type, socket, end) }] : [];
  });
  ranked.sort((one, other) => compare(one.place, other.place) || byTitle(one.type, other.type));
  return ranked.map(({ type }) => type);
}

/** What decides, the weightiest first; less comes before more. */
function placeOf(type: Candidate, socket: Socket, end: LooseEnd): readonly number[] {
  const gives = end.side === "input";
  const isGeneric = isOpen(socket.type) && !isOpen(end.type);
  const uses = type.examples.length;
  return [
    Number(isGeneric),
    Number(!gives && !type.terminal),
    Number(gives ? type.outputs[0] !== socket : !socket.required),
    Number(!isSame(socket.type, end.type)),
    uses < COMMON ? 0 : -uses,
    Number(type.category !== end.category),
    -uses,
  ];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

function byTitle(one: Candidate, other: Candidate): number {
  return one.title.localeCompare(other.title);
}
