import { useEffect, useRef } from "react";
import { FileMenu } from "@/files/FileMenu";
import { activateTab, closeTab, isChanged, useDocuments, workflowOf, type Tab } from "@/state/documents";
import { beginWorkflow } from "./appCommands";
import { tell } from "@/state/announcer";
import { t } from "@/strings";

/** The open workflows. */
export function Tabs() {
  const tabs = useDocuments((state) => state.tabs);
  const active = useDocuments((state) => state.active);
  return (
    <nav className="tabs" aria-label={t("workflows")}>
      <FileMenu />
      {tabs.map((tab) => (
        <TabButton key={tab.key} tab={tab} active={tab.key === active} />
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

function TabButton({ tab, active }: { tab: Tab; active: boolean }) {
  const name = workflowOf(tab).name || t("untitled");
  const close = () => {
    closeTab(tab.key);
    if (isChanged(tab)) tell(t("saidClosed", { name }));
  };
  const shown = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (active) shown.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);
  return (
    <span ref={shown} className={`tab ${active ? "active" : ""}`}>
      <button aria-current={active ? "page" : undefined} onClick={() => activateTab(tab.key)}>
        {name}
        {isChanged(tab) && <span title={t("changed")}> •</span>}
      </button>
      <button className="quiet-button" aria-label={t("closeTab", { name })} onClick={close}>
        ×
      </button>
    </span>
  );
}
