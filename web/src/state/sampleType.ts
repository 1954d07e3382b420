import type { NodeType } from "./nodeTypes";

/** A type of node for tests: without inputs and outputs, but for what is given. */
export const sampleType = (id: string, part: Partial<NodeType> = {}): NodeType => ({
  id,
  title: id,
  category: "",
  version: 1,
  description: "",
  pack: "",
  terminal: false,
  examples: [],
  missing: false,
  inputs: [],
  outputs: [],
  ...part,
});
