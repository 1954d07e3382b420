/** Whether parsed JSON has the shape of a workflow, as `nodegraph/workflow/schema.py` has it. */
import * as rules from "./rules";
import { describe, fault, faultsIn, isRecord, type Rule } from "./rules";

const WORKFLOW = {
  version: rules.VERSION,
  id: rules.TEXT_OR_NULL,
  name: rules.TEXT,
  description: rules.TEXT,
  ui: rules.OBJECT,
};
const NODE = {
  version: rules.VERSION,
  pack: rules.TEXT,
  inputs: rules.OBJECT,
  mode: rules.MODE,
  ui: rules.OBJECT,
};

/** Everything for which it is no workflow, each with its place; what only an editor draws is not looked at. */
export function shapeFaults(document: unknown): string[] {
  if (!isRecord(document)) return [`a workflow is a JSON object, not ${describe(document)}`];
  const { format } = document;
  if (format === undefined) return ['format: is missing; a workflow file starts with "format": "nodegraph"'];
  if (format !== "nodegraph") return [`format: must be "nodegraph", not ${describe(format)}`];
  return [
    ...faultsIn("", document, WORKFLOW),
    ...each("nodes", document["nodes"], nodeFaults),
    ...each("subgraphs", document["subgraphs"], subgraphFaults),
  ];
}

function nodeFaults(place: string, node: unknown): string[] {
  if (!isRecord(node)) return [fault(place, rules.OBJECT, node)];
  const { type } = node;
  const typeFaults =
    type === undefined ? [`${place}.type: is missing`] : faultsIn(`${place}.`, node, { type: rules.TEXT });
  return [
    ...typeFaults,
    ...faultsIn(`${place}.`, node, NODE),
    ...values(`${place}.links`, node["links"], rules.LINKS),
  ];
}

function subgraphFaults(place: string, graph: unknown): string[] {
  if (!isRecord(graph)) return [fault(place, rules.OBJECT, graph)];
  return [
    ...faultsIn(`${place}.`, graph, { ui: rules.OBJECT }),
    ...each(`${place}.nodes`, graph["nodes"], nodeFaults),
    ...values(`${place}.inputs`, graph["inputs"], rules.TARGETS),
    ...values(`${place}.outputs`, graph["outputs"], rules.LINK),
  ];
}

function each(place: string, record: unknown, look: (place: string, value: unknown) => string[]): string[] {
  if (record === undefined) return [];
  if (!isRecord(record)) return [fault(place, rules.OBJECT, record)];
  return Object.entries(record).flatMap(([name, value]) => look(`${place}.${name}`, value));
}

function values(place: string, record: unknown, rule: Rule): string[] {
  return each(place, record, (at, value) => (rule.holds(value) ? [] : [fault(at, rule, value)]));
}
