/** The body that a loop begins with. */
import type { BodyInterface } from "./bodies";
import type { NodeEntry, SubgraphEntry } from "./document";
import { addNode, freshId } from "./edit";
import { assignable, socketType } from "./sockets";
import { exposeInput, exposeOutput } from "./subgraphs";
import { connect } from "./wires";

/** A type of node that gives what it takes. */
export interface PassingType {
  readonly type: string;
  readonly version: number;
  readonly input: string;
  readonly output: string;
}

const [ACROSS, DOWN] = [640, 120];

/**
 * A body with a node for everything that a loop gives it, on the left, and for everything that it must give
 * back, on the right. Where it takes and gives one thing of one type, it gives that back as it is.
 */
export function newBody({ takes, mayTake, gives }: BodyInterface, passing: PassingType): SubgraphEntry {
  let body: SubgraphEntry = {};
  const add = (title: string, x: number, row: number): string => {
    const { type, version } = passing;
    const id = freshId(Object.keys(body.nodes ?? {}), title);
    const entry: NodeEntry = { type, version, ui: { position: [x, row * DOWN], title } };
    body = addNode(body, id, entry);
    return id;
  };
  const starts = Object.keys({ ...takes, ...mayTake }).map((name, row) => {
    const id = add(name, 0, row);
    body = exposeInput(body, [id, passing.input], name);
    return id;
  });
  const ends = Object.keys(gives).map((name, row) => {
    const id = add(name, ACROSS, row);
    body = exposeOutput(body, [id, passing.output], name);
    return id;
  });
  const [[start], [end]] = [starts, ends];
  if (start === undefined || end === undefined || !isOneOfOneType(takes, gives)) return body;
  return connect(body, [start, passing.output], end, passing.input);
}

function isOneOfOneType(takes: BodyInterface["takes"], gives: BodyInterface["gives"]): boolean {
  const [[taken, ...others], [given, ...more]] = [Object.values(takes), Object.values(gives)];
  if (taken === undefined || given === undefined || others.length + more.length > 0) return false;
  return assignable(socketType(taken), socketType(given));
}
