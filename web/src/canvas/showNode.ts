import { create } from "zustand";
import { goToNode } from "@/state/documents";

interface Wish {
  readonly id: string;
  readonly count: number;
}

/** The node that is to be brought into view. */
export const useWish = create<Wish>(() => ({ id: "", count: 0 }));

/** Open the graph that a node is in, select it and bring it into view. */
export function showNode(path: readonly string[], id: string): void {
  goToNode(path, id);
  useWish.setState(({ count }) => ({ id, count: count + 1 }));
}
