import { memo, useState } from "react";
import type { NodeEntry } from "@/model/document";
import { subgraphName } from "@/model/document";
import { useCatalogue } from "@/state/catalogue";
import { enterNode, insidesOf, useTab } from "@/state/documents";
import type { NodeType } from "@/state/nodeTypes";
import { nameAndHelp, t } from "@/strings";
import { renameNodeTo, toggleCollapsed } from "./actions";
import { TitleField } from "./TitleField";

interface Props {
  id: string;
  entry: NodeEntry;
  type: NodeType;
}

export const CardHeader = memo(function CardHeader({ id, entry, type }: Props) {
  const [renaming, setRenaming] = useState(false);
  const title = entry.ui?.title ?? type.title;
  const collapsed = entry.ui?.collapsed ?? false;
  const rename = (text?: string) => {
    setRenaming(false);
    if (text !== undefined) renameNodeTo(id, text === type.title ? "" : text);
  };
  return (
    <header className="card-header" title={nameAndHelp(title, type.description)}>
      <button
        className="fold nodrag"
        aria-label={t(collapsed ? "expandNode" : "collapseNode", { title })}
        aria-expanded={!collapsed}
        onClick={() => toggleCollapsed([id])}
      >
        {collapsed ? "▸" : "▾"}
      </button>
      {renaming ? (
        <TitleField value={title} onDone={rename} />
      ) : (
        <h2 className="card-title" onDoubleClick={() => setRenaming(true)}>
          {title}
        </h2>
      )}
      {entry.mode && <span className="badge">{t(entry.mode === "muted" ? "muted" : "bypassed")}</span>}
      <Enter id={id} entry={entry} title={title} />
    </header>
  );
});

/** Goes into the subgraph that a node stands for, or into the body of a loop. */
function Enter({ id, entry, title }: { id: string; entry: NodeEntry; title: string }) {
  useCatalogue((state) => state.catalogue); // says which inputs name bodies
  const body = useTab((tab) => insidesOf(tab, id)[0]?.name);
  const own = subgraphName(entry.type) !== undefined;
  if (body === undefined && !own) return null;
  const label = own || body === undefined ? t("openSubgraph", { title }) : t("openBody", { title, body });
  return (
    <button className="enter nodrag" aria-label={label} title={label} onClick={() => enterNode(id)}>
      ↗
    </button>
  );
}
