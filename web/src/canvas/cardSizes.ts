/** How large cards are: by what their types say, and by what is seen of those on the screen. */
import { nodesOf } from "@/model/document";
import { boxOf, type Box, type SizeOf } from "@/model/groups";
import { currentCatalogue } from "@/state/catalogue";
import { currentGraph, currentWorkflow } from "@/state/documents";
import { nodeTypeOf, type Place } from "@/state/nodeTypes";
import { cardGeometry, roomOf } from "./geometry";

interface Size {
  readonly width: number;
  readonly height: number;
}

let seenSize: (id: string) => Size | undefined = () => undefined;

/** The canvas says how large a card of the graph that is shown was when it was last seen. */
export function provideSizes(find: (id: string) => Size | undefined): void {
  seenSize = find;
}

export const shownPlace = (): Place => ({
  graph: currentGraph(),
  workflow: currentWorkflow(),
  catalogue: currentCatalogue(),
});

/** The rows alone: what a card shows below them comes and goes. */
export const rowsSize: SizeOf = (id, entry) => {
  const { width, height } = cardGeometry(entry, nodeTypeOf(id, entry, shownPlace()));
  return [width, height];
};

/** As it stands on the canvas. */
export const sizeOf: SizeOf = (id, entry) => atLeastSeen(id, entry, rowsSize);

/** With room for what a run will show on it. */
export const roomyFor: SizeOf = (id, entry) => atLeastSeen(id, entry, roomOf(shownPlace()));

function atLeastSeen(id: string, entry: Parameters<SizeOf>[1], told: SizeOf): ReturnType<SizeOf> {
  const [width, height] = told(id, entry);
  if (entry.ui?.collapsed) return [width, height];
  return [width, Math.max(height, seenSize(id)?.height ?? 0)];
}

/** What a card soon says below its rows: its plan, and in two lines what it lacks. */
export const FOOT = 68;

/** Where there are cards already, with what they are about to say. */
export function takenBoxes(): Box[] {
  const sizeWithFoot: SizeOf = (id, entry) => {
    const [width, height] = sizeOf(id, entry);
    const foot = entry.ui?.collapsed ? 0 : FOOT;
    return [width, Math.max(height, rowsSize(id, entry)[1] + foot)];
  };
  return Object.entries(nodesOf(currentGraph())).map(([id, entry]) => boxOf(id, entry, sizeWithFoot));
}
