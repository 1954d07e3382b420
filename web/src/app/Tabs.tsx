import { useEffect, useRef } from "react";
import { FileMenu, menuItems, moveInMenu } from "@/files/FileMenu";
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
      <div className="tab-strip">
        {tabs.map((tab, index) => (
          <TabButton key={tab.key} tab={tab} name={names[index] ?? ""} active={tab.key === active} />
        ))}
      </div>
      {tabs.length > 1 && <TabList tabs={tabs} names={names} active={active} />}
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

/** All open workflows, one below the other: a strip may have room for few. */
function TabList({
  tabs,
  names,
  active,
}: {
  tabs: readonly Tab[];
  names: readonly string[];
  active: string;
}) {
  const menu = useRef<HTMLDivElement>(null);
  const choose = (tab: Tab) => {
    menu.current?.hidePopover();
    activateTab(tab.key);
  };
  return (
    <>
      <button
        className="quiet-button"
        popoverTarget="tab-list"
        aria-haspopup="menu"
        aria-label={t("allWorkflows", { count: tabs.length })}
        title={t("allWorkflows", { count: tabs.length })}
      >
        ▾
      </button>
      <div
        id="tab-list"
        ref={menu}
        className="menu file-menu tab-list"
        popover="auto"
        role="menu"
        aria-label={t("allWorkflows", { count: tabs.length })}
        onToggle={(event) => event.newState === "open" && menuItems(menu.current)[0]?.focus()}
        onKeyDown={(event) => moveInMenu(event, menu.current)}
      >
        {tabs.map((tab, index) => (
          <button
            key={tab.key}
            role="menuitem"
            tabIndex={-1}
            aria-current={tab.key === active ? "page" : undefined}
            onClick={() => choose(tab)}
          >
            <span>
              {names[index]}
              {isChanged(tab) && " •"}
            </span>
          </button>
        ))}
      </div>
    </>
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
