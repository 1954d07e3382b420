import { usePanels, togglePanel } from "@/app/panels";
import { nodesOf } from "@/model/document";
import { graphOf, useTab } from "@/state/documents";
import { t } from "@/strings";

/** How to begin, as long as there is nothing. */
export function EmptyHint() {
  const empty = useTab((tab) => Object.keys(nodesOf(graphOf(tab))).length === 0);
  const open = usePanels((state) => state.open.left === "templates");
  if (!empty) return null;
  return (
    <p className="empty-hint quiet">
      {t("emptyCanvas")}
      {!open && <button onClick={() => togglePanel("templates")}>{t("emptyTemplates")}</button>}
    </p>
  );
}
