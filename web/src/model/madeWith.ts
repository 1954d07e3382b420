/** What tells a picture from others: the prompt, the seed and the like that it was made with. */
import {
  linkList,
  lookUp,
  nodesOf,
  subgraphName,
  type Graph,
  type Json,
  type NodeEntry,
  type Workflow,
} from "./document";

const NAMES = ["text", "seed", "noise_seed", "steps", "cfg", "ckpt_name"] as const;

export type MadeWith = Partial<Record<(typeof NAMES)[number], Json>>;

/** The first of each that is met from a node upstream; its inputs are followed in the order of the file. */
export function madeWith(workflow: Workflow, node: string): MadeWith {
  const found: Record<string, Json> = {};
  const seen = new Set<string>();
  const visit = (graph: Graph, id: string, prefix: string): void => {
    const entry = lookUp(graph.nodes, id);
    if (entry === undefined || seen.has(prefix + id)) return;
    seen.add(prefix + id);
    note(found, entry);
    const inner = lookUp(workflow.subgraphs, subgraphName(entry.type) ?? "");
    if (inner) for (const one of Object.keys(nodesOf(inner))) visit(inner, one, `${prefix}${id}/`);
    for (const links of inputsFirst(entry))
      for (const [source] of linkList(links)) visit(graph, source, prefix);
  };
  visit(workflow, node.split("/")[0] ?? node, "");
  return found;
}

function note(found: Record<string, Json>, { inputs, links }: NodeEntry): void {
  for (const name of NAMES) {
    const value = lookUp(inputs, name);
    if (
      value !== undefined &&
      value !== "" &&
      !Object.hasOwn(found, name) &&
      lookUp(links, name) === undefined
    )
      found[name] = value;
  }
}

/** The positive prompt tells more of a picture than the negative one. */
function inputsFirst({ links = {} }: NodeEntry) {
  const { negative, ...others } = links;
  return [...Object.values(others), ...(negative ? [negative] : [])];
}
