import { create } from "zustand";
import { placeOf, type Step } from "@/model/places";
import { bodyInputs } from "@/state/catalogue";
import { currentWorkflow, goToNode } from "@/state/documents";

interface Wish {
  readonly id: string;
  readonly count: number;
  /** Fill the view with it, or else move no farther than is needed. */
  readonly near: boolean;
}

/** The node that is to be brought into view. */
export const useWish = create<Wish>(() => ({ id: "", count: 0, near: false }));

function wish(id: string, near: boolean): void {
  useWish.setState(({ count }) => ({ id, count: count + 1, near }));
}

/** Bring a node of the graph that is shown into view, where it is not all there. */
export const reveal = (id: string): void => wish(id, false);

/** Open the graph that a node is in, select it and bring it into view. */
export function showNode(path: readonly Step[], id: string): void {
  goToNode(path, id);
  wish(id, true);
}

/** The same for a node by the id that an issue gives it; nothing where there is none of that id. */
export function showNamed(node: string): void {
  const place = placeOf(currentWorkflow(), node, { bodyInputs });
  if (place) showNode(place.path, place.id);
}
