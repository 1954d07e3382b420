import { useStore } from "@xyflow/react";
import { isPhone } from "@/app/room";

/** With more nodes than this the view from afar is painted, not mounted. */
export const LARGE = 150;
/** Below this zoom text cannot be read, and a card is only its outline. */
const FAR = 0.3;
/** The same of a large workflow, where many cards come into view at a time: text is less than six pixels high. */
const FAR_IF_LARGE = 0.46;
/** A workflow that is opened is shown from this near, or nearer. */
const OPENED = 0.2;
/** On a phone it is read rather than seen whole. */
const OPENED_ON_PHONE = 0.5;

/** From how far a workflow of so many nodes is shown at first: its cards can be told apart. */
export function farthestAtFirst(nodes: number): number {
  if (isPhone()) return OPENED_ON_PHONE;
  return nodes > LARGE ? FAR_IF_LARGE : OPENED;
}

/** Whether the canvas is seen from afar; changes at one zoom alone. */
export function useFar(large = false): boolean {
  return useStore((state) => state.transform[2] < (large ? FAR_IF_LARGE : FAR));
}
