import type { PlannedNode } from "@/state/check";
import type { NodeRun } from "@/state/runs";
import { t } from "@/strings";
import { seconds } from "@/strings/units";

/** How the last run of a node ended, in a word; nothing where that is of other values than those that are cached. */
export function wordsOfRun(
  { status, origin, seconds: took }: Pick<NodeRun, "status" | "origin" | "seconds">,
  planned: PlannedNode["origin"] | undefined,
): string | undefined {
  const isCached = planned === "memory" || planned === "disk";
  if (status === "cancelled") return isCached ? undefined : t("cancelled");
  if (status !== "done" || took === undefined) return undefined;
  if (origin === "memory") return t("fromMemory");
  return origin === "disk" ? t("fromDisk") : seconds(took);
}
