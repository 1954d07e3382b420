/** What tabs are called. */
import { t } from "@/strings";
import { workflowOf, type Tab } from "./documents";

/** As its workflow was saved, else by the name inside the workflow; neither changes the other. */
export function ownName(tab: Tab): string | undefined {
  return tab.place?.split("/").at(-1) ?? (workflowOf(tab).name || undefined);
}

export const tabName = (tab: Tab): string => ownName(tab) ?? t("untitled");

/** The names of tabs in their order; the folder comes along where it tells two apart. */
export function tabNames(tabs: readonly Tab[]): string[] {
  const names = tabs.map(tabName);
  return tabs.map(({ place }, index) => {
    const name = names[index] ?? "";
    return place !== undefined && names.indexOf(name) !== names.lastIndexOf(name) ? place : name;
  });
}
