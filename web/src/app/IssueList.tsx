import { useState } from "react";
import { showNamed } from "@/canvas/showNode";
import { useCheck } from "@/state/check";
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
              <button
                className={issue.severity}
                disabled={!issue.node}
                onClick={() => issue.node && showNamed(issue.node)}
              >
                {issue.node && <b>{issue.node}</b>} {issue.message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
