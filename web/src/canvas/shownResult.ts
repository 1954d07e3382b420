import { useShallow } from "zustand/react/shallow";
import { meaningOf } from "@/model/meaning";
import { useCheck } from "@/state/check";
import { prefixOf, tabOf, useDocuments, useTab } from "@/state/documents";
import { resultOf, useRunOf, type Outputs } from "@/state/runs";

/**
 * What a card shows of what its node gave.
 *
 * Where the result of the values that the card shows is cached, the last run may have had others, as in a sweep:
 * then it is what the node gave with these, or nothing if that is not known.
 */
export function useShownOutputs(id: string): Outputs | undefined {
  const tab = useDocuments((state) => tabOf(state).key);
  const path = useTab(prefixOf) + id;
  const { outputs, meant } = useRunOf(
    id,
    useShallow((run) => ({ outputs: run?.outputs, meant: run?.meant })),
  );
  const now = useCheck(({ nodes, about }) => {
    const origin = nodes[path]?.origin;
    const isCached = origin === "memory" || origin === "disk";
    return isCached && about?.tab === tab ? meaningOf(about.workflow, path) : undefined;
  });
  if (now === undefined || meant === undefined || now === meant) return outputs;
  return resultOf(tab, path, now)?.outputs;
}
