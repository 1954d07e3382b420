/** What muted and bypassed nodes mean for a run: the document that is sent, made from the one on screen. */
import {
  linkList,
  lookUp,
  mapValues,
  nodesOf,
  type Graph,
  type Link,
  type NodeEntry,
  type Workflow,
} from "./document";
import { removeNodes } from "./edit";
import { socketType, wiring, type Bases } from "./sockets";
import type { Signature, SignatureOf } from "./typing";
import { setLinks } from "./wires";

/**
 * The workflow as it is to run: muted nodes and what needs them are left out, bypassed ones are replaced by
 * the wire into their first input of a fitting type. Ids stay, so results find their nodes.
 */
export function runnable(
  workflow: Workflow,
  signatureOf: (graph: Graph) => SignatureOf,
  bases: Bases = {},
): Workflow {
  const resolve = <G extends Graph>(graph: G): G => resolveModes(graph, signatureOf(graph), bases);
  const whole = resolve(workflow);
  const inner = workflow.subgraphs && mapValues(workflow.subgraphs, resolve);
  return inner === workflow.subgraphs ? whole : { ...whole, subgraphs: inner };
}

export function resolveModes<G extends Graph>(graph: G, signatureOf: SignatureOf, bases: Bases = {}): G {
  const nodes = nodesOf(graph);
  const inMode = (mode: string) => Object.keys(nodes).filter((id) => nodes[id]?.ui?.mode === mode);
  const bypassed = new Set(inMode("bypassed"));
  const muted = inMode("muted");
  if (bypassed.size === 0 && muted.length === 0) return graph;
  const around = bypassed.size === 0 ? graph : passBy(graph, bypassed, signatureOf, bases);
  return removeNodes(around, withDependents(around, [...muted, ...bypassed]));
}

function passBy<G extends Graph>(
  graph: G,
  bypassed: ReadonlySet<string>,
  signatureOf: SignatureOf,
  bases: Bases,
): G {
  const follow = (link: Link, seen: ReadonlySet<string> = new Set()): Link => {
    const [id, output] = link;
    const entry = lookUp(graph.nodes, id);
    if (!bypassed.has(id) || entry === undefined || seen.has(id)) return link;
    const through = handedOn(entry, output, signatureOf(id, entry), bases);
    return through === undefined ? link : follow(through, new Set([...seen, id]));
  };
  const nodes = mapValues(nodesOf(graph), (node) => {
    let changed = node;
    for (const [input, links] of Object.entries(node.links ?? {})) {
      const moved = linkList(links).map((link) => follow(link));
      const [only] = moved;
      changed = setLinks(changed, input, typeof links[0] === "string" && only ? only : moved);
    }
    return changed;
  });
  return { ...graph, nodes };
}

/** What a bypassed node hands on as one of its outputs. */
function handedOn(
  entry: NodeEntry,
  output: string,
  signature: Signature | undefined,
  bases: Bases,
): Link | undefined {
  const wanted = signature?.outputs.find((one) => one.name === output);
  if (signature === undefined || wanted === undefined) return undefined;
  const target = socketType(wanted.type);
  const fitting = signature.inputs.filter(
    (input) =>
      linkList(lookUp(entry.links, input.name)).length > 0 &&
      wiring(socketType(input.type), target, bases) === "direct",
  );
  const same = fitting.find((input) => input.type === wanted.type) ?? fitting[0];
  return same && linkList(lookUp(entry.links, same.name))[0];
}

/** The nodes, and those that a wire of theirs still reaches: without its source it cannot run. */
function withDependents(graph: Graph, ids: readonly string[]): Set<string> {
  const gone = new Set(ids);
  for (let before = -1; before !== gone.size;) {
    before = gone.size;
    for (const [id, node] of Object.entries(nodesOf(graph)))
      if (
        Object.values(node.links ?? {}).some((links) => linkList(links).some(([source]) => gone.has(source)))
      )
        gone.add(id);
  }
  return gone;
}
