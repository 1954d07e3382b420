import { useEffect, useRef, type RefObject } from "react";
import { RemedyButton } from "@/canvas/RemedyButton";
import { showNamed } from "@/canvas/showNode";
import { distinctIssues } from "@/model/issues";
import { useCheck, type Issue } from "@/state/check";
import { showIssues, useIssueList } from "@/state/issueList";
import { useNodeNames } from "@/state/nodeNames";
import { t } from "@/strings";

/** Everything that is wrong or odd in the document, folded to one line; a click goes to the node. */
export function IssueList() {
  const issues = distinctIssues(useCheck((check) => check.issues));
  const open = useIssueList((list) => list.open) && issues.length > 0;
  const section = useRef<HTMLElement>(null);
  const nameOf = useNodeNames();
  useEffect(() => (open ? closeOutside(section) : undefined), [open]);
  if (issues.length === 0) return null;
  const errors = issues.filter(({ severity }) => severity === "error").length;
  return (
    <section ref={section} className="issues" data-region="issues" aria-label={t("issues")}>
      <button
        className={errors > 0 ? "error" : "warning"}
        aria-expanded={open}
        onClick={() => showIssues(!open)}
      >
        {errors > 0 ? t("issueCount", { count: errors }) : t("hintCount", { count: issues.length })}
      </button>
      {open && (
        <ul>
          {issues.map((issue, index) => (
            <Row key={index} issue={issue} name={issue.node ? nameOf(issue.node) : undefined} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({
  issue: { node, message, severity, remedy },
  name,
}: {
  issue: Issue;
  name: string | undefined;
}) {
  return (
    <li>
      <button
        className={severity}
        disabled={!node}
        title={node ?? undefined}
        onClick={() => node && showNamed(node)}
      >
        {name && <b>{name}</b>} {message}
      </button>
      <RemedyButton remedy={remedy} />
    </li>
  );
}

/** Fold the list with Escape, which then does nothing else, or with a press elsewhere. */
function closeOutside(section: RefObject<HTMLElement | null>): () => void {
  const onPress = (event: PointerEvent) => {
    if (!section.current?.contains(event.target as Node)) showIssues(false);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    showIssues(false);
    section.current?.querySelector("button")?.focus();
  };
  document.addEventListener("pointerdown", onPress, true);
  document.addEventListener("keydown", onKey, true);
  return () => {
    document.removeEventListener("pointerdown", onPress, true);
    document.removeEventListener("keydown", onKey, true);
  };
}
