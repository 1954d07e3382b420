/** Setting inputs to the values that an issue names. */
import type { BodyInputs } from "./bodies";
import { editAt, type Json, type Workflow } from "./document";
import { setInput } from "./edit";
import { placeOf } from "./places";

/** By place, as `node.input` with the id that issues give the node, the value that would do. */
export type Remedy = Readonly<Record<string, unknown>>;

export function remedied(workflow: Workflow, remedy: Remedy, bodyInputs: BodyInputs): Workflow {
  let changed = workflow;
  for (const [at, value] of Object.entries(remedy)) {
    const [node, input] = parted(at);
    const place = placeOf(changed, node, { bodyInputs });
    if (place)
      changed = editAt(changed, place.scope, (graph) => setInput(graph, place.id, input, value as Json));
  }
  return changed;
}

/** In short, what a remedy sets: `width 128, height 128`. */
export function remedyText(remedy: Remedy): string {
  return Object.entries(remedy)
    .map(([at, value]) => `${parted(at)[1]} ${String(value)}`)
    .join(", ");
}

/** Ids of nodes may hold dots, names of inputs do not. */
function parted(at: string): readonly [node: string, input: string] {
  const dot = at.lastIndexOf(".");
  return [at.slice(0, dot), at.slice(dot + 1)];
}
