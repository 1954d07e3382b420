/** Closing tabs, and opening them again. */
import { tell } from "@/state/announcer";
import { closeTab, isChanged, reopenTab, type Tab } from "@/state/documents";
import { resumeRuns } from "@/state/resume";
import { useRuns } from "@/state/runs";
import { tabName } from "@/state/tabNames";
import { t } from "@/strings";

/** Close a tab; where that hides unsaved work, say so and offer it back. */
export function close(tab: Tab): void {
  closeTab(tab.key);
  if (!isChanged(tab)) return;
  tell(t("saidClosed", { name: tabName(tab) }), { label: t("undo"), run: () => reopen(tab.key) });
}

/** Open the tab of that key again, or what was closed last, with what its runs gave. */
export function reopen(key?: string): void {
  const tab = reopenTab(key);
  if (tab === undefined) return tell(t("saidNothingClosed"));
  if (useRuns.getState().nodes[tab.key] === undefined) void resumeRuns([tab.key]);
}
