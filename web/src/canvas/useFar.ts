import { useStore } from "@xyflow/react";

/** Below this zoom text cannot be read, and a card is only its outline. */
const FAR = 0.38;

/** Whether the canvas is seen from afar; changes at one zoom alone. */
export function useFar(): boolean {
  return useStore((state) => state.transform[2] < FAR);
}
