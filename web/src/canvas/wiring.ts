/** Which wires may be drawn in the graph that is shown, and drawing them. */
import { linkList, lookUp, nodesOf, type Graph, type Link } from "@/model/document";
import type { Refusal } from "@/model/sockets";
import type { Typing } from "@/model/typing";
import { connect, disconnect } from "@/model/wires";
import * as fitting from "@/model/fitting";
import { gathers, socketType } from "@/model/sockets";
import { announce } from "@/state/announcer";
import { currentCatalogue } from "@/state/catalogue";
import { currentGraph, currentTab, currentWorkflow, edit } from "@/state/documents";
import { nodeTypeOf, type NodeType } from "@/state/nodeTypes";
import type { End } from "@/state/surface";
import { typingOf } from "@/state/typings";
import { t, type StringKey } from "@/strings";

/** The types in the graph that is shown. */
const currentTyping = (): Typing => typingOf(currentTab(), currentCatalogue());

const REASONS: Record<Refusal["reason"], StringKey> = {
  otherType: "refusedOtherType",
  mayBeNone: "refusedMayBeNone",
  mayBeOther: "refusedMayBeOther",
  cycle: "refusedCycle",
  full: "refusedFull",
  self: "refusedSelf",
};

/** Why two ends must not be wired, in words; `undefined` where they may. */
export function whyRefused(one: End, other: End): string | undefined {
  if (one.side === other.side) return t(one.side === "input" ? "refusedTwoInputs" : "refusedTwoOutputs");
  const [from, to] = one.side === "output" ? [one, other] : [other, one];
  const refusal = currentTyping().refusal([from.node, from.socket], to.node, to.socket);
  return refusal && t(REASONS[refusal.reason], { ...refusal });
}

export const opposite = (side: End["side"]): End["side"] => (side === "output" ? "input" : "output");

/** Wire two ends, in either order. */
export function wire(one: End, other: End): void {
  edit({ name: t("stepConnect") }, (graph) => join(graph, one, other, typeOfEnd(one), typeOfEnd(other)));
  announce(t("saidConnected", { from: one.socket, to: other.socket }));
}

/** Let a wire into `input`, from the output `was`, be one from an output into an input instead. */
export function moveWire(from: End, input: End, to: End, was: Link = [from.node, from.socket]): void {
  edit({ name: t("stepConnect") }, (graph) => {
    const freed = disconnect(graph, input.node, input.socket, was);
    return join(freed, from, to, typeOfEnd(from), typeOfEnd(to));
  });
  announce(t("saidConnected", { from: from.socket, to: to.socket }));
}

/** The output that the last wire of an input comes from. */
export function outputInto({ node, socket }: End): End | undefined {
  const [source, output] = linkList(lookUp(lookUp(currentGraph().nodes, node)?.links, socket)).at(-1) ?? [];
  return source === undefined || output === undefined
    ? undefined
    : { node: source, socket: output, side: "output" };
}

/** The graph with an end wired to one of a node that is only just there. */
export function wired(graph: Graph, from: End, fresh: End, type: NodeType): Graph {
  const sockets = fresh.side === "input" ? type.inputs : type.outputs;
  const found = sockets.find(({ name }) => name === fresh.socket);
  return join(graph, from, fresh, typeOfEnd(from), found?.type ?? "Any");
}

/** Outputs are gathered where an input takes a list. */
function join(graph: Graph, one: End, other: End, oneType: string, otherType: string): Graph {
  const [from, to] = one.side === "output" ? [one, other] : [other, one];
  const [given, wanted] = one.side === "output" ? [oneType, otherType] : [otherType, oneType];
  const gather = gathers(socketType(wanted)) && !gathers(socketType(given));
  const options = { gather, ...(from.via && { via: from.via }) };
  return connect(graph, [from.node, from.socket], to.node, to.socket, options);
}

/** Take the wires out of an input, or only the one that comes from an output. */
export function unplug(target: string, input: string, from?: End): void {
  const source: Link | undefined = from && [from.node, from.socket];
  edit({ name: t("stepDisconnect") }, (graph) => disconnect(graph, target, input, source));
}

export function isWired(node: string, input: string): boolean {
  return lookUp(lookUp(currentGraph().nodes, node)?.links, input) !== undefined;
}

/** Every end in the graph that an end may be wired to, nearest kinds of type first. */
export function fittingEnds(from: End): End[] {
  const place = { graph: currentGraph(), workflow: currentWorkflow(), catalogue: currentCatalogue() };
  return Object.entries(nodesOf(place.graph)).flatMap(([node, entry]) =>
    endsOf(node, nodeTypeOf(node, entry, place), opposite(from.side)).filter(
      (end) => whyRefused(from, end) === undefined,
    ),
  );
}

export function endsOf(node: string, type: NodeType, side: End["side"]): End[] {
  const sockets = side === "input" ? type.inputs : type.outputs;
  return sockets.map(({ name }) => ({ node, socket: name, side }));
}

/** The socket of a type that an end fits best. */
export function bestSocket({ side }: End, type: string, candidate: NodeType): string | undefined {
  return fitting.bestSocket({ side, type }, candidate, currentCatalogue().bases)?.name;
}

export function typeOfEnd(end: End): string {
  const typing = currentTyping();
  return (end.side === "output" ? typing.output([end.node, end.socket]) : typing.wanted(end.node, end.socket))
    .name;
}
