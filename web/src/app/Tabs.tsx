import { useEffect, useRef } from "react";
import { FileMenu } from "@/files/FileMenu";
import { close } from "@/files/closing";
import { activateTab, isChanged, useDocuments, type Tab } from "@/state/documents";
import { tabNames } from "@/state/tabNames";
import { beginWorkflow } from "./appCommands";
import { t } from "@/strings";

/** The open workflows. */
export function Tabs() {
  const tabs = useDocuments((state) => state.tabs);
  const active = useDocuments((state) => state.active);
  const names = tabNames(tabs);
  return (
    <nav className="tabs" aria-label={t("workflows")}>
      <FileMenu />
      {tabs.map((tab, index) => (
        <TabButton key={tab.key} tab={tab} name={names[index] ?? ""} active={tab.key === active} />
      ))}
      <button
        className="quiet-button"
        aria-label={t("newWorkflow")}
        title={t("newWorkflow")}
        onClick={beginWorkflow}
      >
        +
      </button>
    </nav>
  );
}

function TabButton({ tab, name, active }: { tab: Tab; name: string; active: boolean }) {
  const shown = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (active) shown.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);
  return (
    <span ref={shown} className={`tab ${active ? "active" : ""}`}>
      <button
        aria-current={active ? "page" : undefined}
        title={tab.place}
        onClick={() => activateTab(tab.key)}
      >
        {name}
        {isChanged(tab) && <span title={t("changed")}> •</span>}
      </button>
      <button className="quiet-button" aria-label={t("closeTab", { name })} onClick={() => close(tab)}>
        ×
      </button>
    </span>
  );
}
