import { useState } from "react";
import { placeOf } from "@/model/issues";
import { showNode } from "@/canvas/showNode";
import { useCheck } from "@/state/check";
import { currentWorkflow } from "@/state/documents";
import { t } from "@/strings";

/** Everything that is wrong with the document, folded to one line; a click goes to the node. */
export function IssueList() {
  const issues = useCheck((check) => check.issues);
  const [open, setOpen] = useState(false);
  if (issues.length === 0) return null;
  return (
    <section className="issues" data-region="issues" aria-label={t("issues")}>
      <button aria-expanded={open} onClick={() => setOpen(!open)}>
        {t("issueCount", { count: issues.length })}
      </button>
      {open && (
        <ul>
          {issues.map((issue, index) => (
            <li key={index}>
              <button className={issue.severity} disabled={!issue.node} onClick={() => goTo(issue.node)}>
                {issue.node && <b>{issue.node}</b>} {issue.message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function goTo(node: string | null | undefined): void {
  const place = node ? placeOf(currentWorkflow(), node) : undefined;
  if (place) showNode(place.path, place.id);
}
