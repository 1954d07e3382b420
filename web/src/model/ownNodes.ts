/**
 * Nodes of a person's own: a subgraph in a workflow of its own that holds one node of it.
 *
 * So an own node is kept, opened and edited like any workflow.
 */
import {
  lookUp,
  nodesOf,
  subgraphName,
  SUBGRAPH_PREFIX,
  without,
  type SubgraphEntry,
  type Workflow,
} from "./document";
import { NO_BODIES, type BodyInputs } from "./bodies";
import { mergeSubgraphs, usedSubgraphs } from "./clipboard";
import { freshName } from "./subgraphs";

/** The folder of saved workflows that own nodes lie in. */
export const OWN_FOLDER = "nodes/";

const NODE = "node";

/** The workflow that keeps a subgraph as a node of some name. */
export function ownNode(
  workflow: Workflow,
  subgraph: string,
  name: string,
  { description = "", bodyInputs = NO_BODIES }: { description?: string; bodyInputs?: BodyInputs } = {},
): Workflow {
  const used = usedSubgraphs(workflow, { [NODE]: { type: SUBGRAPH_PREFIX + subgraph } }, bodyInputs);
  const inner = without(used, [subgraph]);
  const key = lookUp(inner, name) === undefined ? name : freshName(Object.keys(inner), name);
  return {
    format: "nodegraph",
    version: 1,
    name,
    ...(description !== "" && { description }),
    nodes: { [NODE]: { type: SUBGRAPH_PREFIX + key, version: 1, ui: { position: [0, 0] } } },
    subgraphs: { [key]: lookUp(used, subgraph) ?? {}, ...inner },
  };
}

/** The subgraph that a workflow keeps as a node; `undefined`: it is no own node. */
export function subgraphOfOwn(workflow: Workflow): string | undefined {
  const [only, ...others] = Object.values(nodesOf(workflow));
  const name = only === undefined || others.length > 0 ? undefined : subgraphName(only.type);
  return name !== undefined && lookUp(workflow.subgraphs, name) !== undefined ? name : undefined;
}

/** The same node under another name. */
export function renamedOwn(own: Workflow, name: string, bodyInputs: BodyInputs = NO_BODIES): Workflow {
  const subgraph = subgraphOfOwn(own);
  const options = { bodyInputs, ...(own.description !== undefined && { description: own.description }) };
  return subgraph === undefined ? own : ownNode(own, subgraph, name, options);
}

export interface Adopted {
  readonly workflow: Workflow;
  /** The type that nodes of it have there. */
  readonly type: string;
}

/** Bring an own node's subgraphs into a workflow; those that are there already are used as they are. */
export function adoptOwn(
  workflow: Workflow,
  own: Workflow,
  bodyInputs: BodyInputs = NO_BODIES,
): Adopted | undefined {
  const name = subgraphOfOwn(own);
  if (name === undefined) return undefined;
  const brought: Readonly<Record<string, SubgraphEntry>> = own.subgraphs ?? {};
  const { merged, renamed } = mergeSubgraphs(workflow, brought, bodyInputs);
  return { workflow: merged, type: SUBGRAPH_PREFIX + (renamed.get(name) ?? name) };
}
