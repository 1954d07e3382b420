/** Types of nodes as the editor uses them: of the catalogue, of a subgraph, or made up for one that is missing. */
import type { components } from "@/api/types";
import type { BodyInterface, Types } from "@/model/bodies";
import {
  linkList,
  lookUp,
  nodesOf,
  subgraphName,
  type Graph,
  type Json,
  type NodeEntry,
  type SubgraphEntry,
  type Workflow,
} from "@/model/document";
import type { Bases } from "@/model/sockets";

export type NodeView = components["schemas"]["NodeView"];

/** The parts of JSON Schema that node types use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | boolean)[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: unknown;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly "x-widget"?: { readonly kind: string; readonly multiline?: boolean };
  readonly "x-folder"?: string;
}

export interface InputType {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  readonly socketOnly: boolean;
  readonly schema: JsonSchema;
  readonly default?: Json;
  /** Of an input that names a subgraph, what that must look like. */
  readonly body?: BodyInterface;
}

export interface NodeType {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly version: number;
  readonly description: string;
  readonly pack: string;
  readonly terminal: boolean;
  /** Names of templates that use it. */
  readonly examples: readonly string[];
  /** The workflow that keeps it, of a node that a person made of a subgraph. */
  readonly own?: Workflow;
  /** Neither in the catalogue nor a subgraph of the file. */
  readonly missing: boolean;
  readonly inputs: readonly InputType[];
  readonly outputs: readonly OutputType[];
}

export interface OutputType {
  readonly name: string;
  readonly type: string;
  readonly description: string;
}

/** What there is to build from; `bases` gives, by the name of a class, the classes it derives from. */
export interface Catalogue {
  readonly nodes: Readonly<Record<string, NodeType>>;
  readonly bases: Bases;
}

export const NO_CATALOGUE: Catalogue = { nodes: {}, bases: {} };

export interface Place {
  readonly graph: Graph;
  readonly workflow: Workflow;
  readonly catalogue: Catalogue;
}

/** The type of a node: every card has one, also that of a missing pack. The same object while nothing changes. */
export function nodeTypeOf(id: string, entry: NodeEntry, place: Place): NodeType {
  const known = lookUp(place.catalogue.nodes, entry.type) ?? subgraphType(entry.type, place);
  return known ?? missingType(entry, outputsInUse(place.graph).get(id) ?? []);
}

/** A node type as the server tells it. */
export function readNodeType(view: NodeView): NodeType {
  const { id, category, version, description, pack, terminal, examples, outputs } = view;
  const inputs = Object.entries(view.inputs).map(([name, input]) => ({
    name,
    type: input.type,
    required: input.required,
    description: input.description,
    socketOnly: input.socket_only,
    schema: input.schema as JsonSchema,
    ...(input.default !== undefined && { default: input.default as Json }),
    ...(input.widget?.["kind"] === "body" && { body: readInterface(input["body"]) }),
  }));
  const title = view.display_name;
  return {
    id,
    title,
    category,
    version,
    description,
    pack,
    terminal,
    examples,
    missing: false,
    inputs,
    outputs,
  };
}

interface ToldInterface {
  readonly takes?: Types;
  readonly may_take?: Types;
  readonly gives?: Types;
}

function readInterface(told: unknown): BodyInterface {
  const { takes = {}, may_take = {}, gives = {} } = (told ?? {}) as ToldInterface;
  return { takes, mayTake: may_take, gives };
}

/** Names of the inputs of a type that name subgraphs. */
export function bodyInputsOf({ nodes }: Catalogue, type: string): readonly string[] {
  const inputs = lookUp(nodes, type)?.inputs ?? [];
  return inputs.filter(({ body }) => body !== undefined).map(({ name }) => name);
}

interface MadeTypes {
  readonly catalogue: Catalogue;
  readonly types: Map<string, NodeType>;
}

const madeTypes = new WeakMap<object, MadeTypes>();

/** By name, the types of the subgraphs of a file that were asked for. */
function typesMade({ workflow, catalogue }: Place): Map<string, NodeType> {
  const known = workflow.subgraphs && madeTypes.get(workflow.subgraphs);
  if (known?.catalogue === catalogue) return known.types;
  const types = new Map<string, NodeType>();
  if (workflow.subgraphs) madeTypes.set(workflow.subgraphs, { catalogue, types });
  return types;
}

/** The type that a subgraph of the file is to those who use it. */
export function subgraphType(type: string, place: Place): NodeType | undefined {
  const subgraphTypes = typesMade(place);
  const known = subgraphTypes.get(type);
  const name = subgraphName(type);
  const subgraph = name === undefined ? undefined : lookUp(place.workflow.subgraphs, name);
  if (known || name === undefined || subgraph === undefined) return known;
  // Noted before its inside is looked at: a subgraph that holds itself must not go round for ever.
  subgraphTypes.set(
    type,
    describeSubgraph(name, subgraph, () => undefined),
  );
  const inner = (id: string): Inner | undefined => {
    const entry = lookUp(subgraph.nodes, id);
    return entry && { entry, type: nodeTypeOf(id, entry, { ...place, graph: subgraph }) };
  };
  const made = describeSubgraph(name, subgraph, inner);
  subgraphTypes.set(type, made);
  return made;
}

interface Inner {
  readonly entry: NodeEntry;
  readonly type: NodeType;
}

function describeSubgraph(
  name: string,
  subgraph: SubgraphEntry,
  inner: (id: string) => Inner | undefined,
): NodeType {
  const inputs = Object.entries(subgraph.inputs ?? {}).map(([outer, targets]) => {
    const found = targets.map(([id, at]) => inputInside(inner(id), at)).find(Boolean);
    return { ...(found ?? UNKNOWN_INPUT), name: outer };
  });
  const outputs = Object.entries(subgraph.outputs ?? {}).map(([outer, [id, at]]) => {
    const found = inner(id)?.type.outputs.find((output) => output.name === at);
    return { name: outer, type: found?.type ?? "Any", description: found?.description ?? "" };
  });
  const bare = { version: 1, description: "", pack: "", terminal: false, examples: [], missing: false };
  return { ...bare, id: `subgraph/${name}`, title: name, category: "subgraph", inputs, outputs };
}

/** An inner input as it is outside: what it has inside holds until it is given another value there. */
function inputInside(inner: Inner | undefined, name: string): InputType | undefined {
  const input = inner?.type.inputs.find((candidate) => candidate.name === name);
  const value = lookUp(inner?.entry.inputs, name);
  return input && value !== undefined ? { ...input, required: false, default: value } : input;
}

const UNKNOWN_INPUT: InputType = {
  name: "",
  type: "Any",
  required: false,
  description: "",
  socketOnly: true,
  schema: {},
};

const missingTypes = new WeakMap<NodeEntry, { outputs: string; type: NodeType }>();

/** What can be told of a node whose pack is not there: the sockets that the workflow uses. */
function missingType(entry: NodeEntry, outputs: readonly string[]): NodeType {
  const key = outputs.join("\n");
  const known = missingTypes.get(entry);
  if (known?.outputs === key) return known.type;
  const names = new Set([...Object.keys(entry.links ?? {}), ...Object.keys(entry.inputs ?? {})]);
  const type: NodeType = {
    id: entry.type,
    title: entry.type,
    category: "",
    version: entry.version ?? 1,
    description: "",
    pack: entry.pack ?? "",
    terminal: false,
    examples: [],
    missing: true,
    inputs: [...names].map((name) => missingInput(name, lookUp(entry.inputs, name))),
    outputs: outputs.map((name) => ({ name, type: "Any", description: "" })),
  };
  missingTypes.set(entry, { outputs: key, type });
  return type;
}

const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  object: { type: "array" },
};

function missingInput(name: string, value: Json | undefined): InputType {
  const schema = SCHEMAS[typeof value] ?? {};
  return { name, type: "Any", required: false, description: "", socketOnly: value === undefined, schema };
}

const outputs = new WeakMap<Graph, ReadonlyMap<string, readonly string[]>>();

/** By node, the names of its outputs that wires come from. */
export function outputsInUse(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const known = outputs.get(graph);
  if (known) return known;
  const found = new Map<string, readonly string[]>();
  for (const node of Object.values(nodesOf(graph)))
    for (const [source, output] of Object.values(node.links ?? {}).flatMap(linkList)) {
      const names = found.get(source) ?? [];
      if (!names.includes(output)) found.set(source, [...names, output]);
    }
  outputs.set(graph, found);
  return found;
}
