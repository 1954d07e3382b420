import { create } from "zustand";
import { placeOf, type Step } from "@/model/places";
import { bodyInputs } from "@/state/catalogue";
import { currentWorkflow, goToNode } from "@/state/documents";

interface Wish {
  readonly id: string;
  readonly count: number;
}

/** The node that is to be brought into view. */
export const useWish = create<Wish>(() => ({ id: "", count: 0 }));

/** Open the graph that a node is in, select it and bring it into view. */
export function showNode(path: readonly Step[], id: string): void {
  goToNode(path, id);
  useWish.setState(({ count }) => ({ id, count: count + 1 }));
}

/** The same for a node by the id that an issue gives it; nothing where there is none of that id. */
export function showNamed(node: string): void {
  const place = placeOf(currentWorkflow(), node, { bodyInputs });
  if (place) showNode(place.path, place.id);
}
