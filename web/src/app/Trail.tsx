import { leaveTo, useTab, workflowOf } from "@/state/documents";
import { t } from "@/strings";

/** Where in nested subgraphs the canvas is. */
export function Trail() {
  const trail = useTab((tab) => tab.trail);
  const name = useTab((tab) => workflowOf(tab).name);
  if (trail.length < 2) return null;
  return (
    <nav className="trail" aria-label={t("trail")}>
      {trail.map(({ scope, prefix }, depth) => (
        <button
          key={prefix}
          aria-current={depth === trail.length - 1 ? "location" : undefined}
          onClick={() => leaveTo(depth)}
        >
          {scope ?? (name || t("untitled"))}
        </button>
      ))}
    </nav>
  );
}
