import { memo } from "react";
import { useShallow } from "zustand/react/shallow";
import { prefixOf, useTab } from "@/state/documents";
import { useCheck } from "@/state/check";
import type { NodeType } from "@/state/nodeTypes";
import { useRunOf } from "@/state/runs";
import { t } from "@/strings";
import { seconds } from "@/strings/units";

const MOST_ISSUES = 3;

/** The foot of a card: what is wrong, what will happen, what happened. */
export const CardStatus = memo(function CardStatus({ id, type }: { id: string; type: NodeType }) {
  return (
    <footer className="card-status">
      {type.missing && <p className="problem">{t("missingPack", { type: type.id, pack: type.pack || "?" })}</p>}
      <Issues id={id} />
      <Failure id={id} />
      <Plan id={id} />
    </footer>
  );
});

function Issues({ id }: { id: string }) {
  const path = useTab(prefixOf) + id;
  const issues = useCheck(useShallow((check) => check.issues.filter((issue) => issue.node === path)));
  return issues.slice(0, MOST_ISSUES).map((issue) => (
    <p key={`${issue.code} ${issue.input}`} className={issue.severity === "warning" ? "warning" : "problem"}>
      {issue.message}
      {issue.suggestions.length > 0 && <span className="remedy">{issue.suggestions.join(" · ")}</span>}
    </p>
  ));
}

function Failure({ id }: { id: string }) {
  const failure = useRunOf(id, (run) => run?.error);
  if (failure === undefined) return null;
  return (
    <p className="problem" role="alert">
      {failure}
    </p>
  );
}

/** One quiet line: run or cached and what comes out, then how long it took and where it came from. */
function Plan({ id }: { id: string }) {
  const path = useTab(prefixOf) + id;
  const planned = useCheck((check) => check.nodes[path]);
  const text = useRunOf(id, (run) => run && told(run));
  const shape = planned?.outputs;
  if (text === undefined && planned === undefined) return null;
  return (
    <p className="plan">
      {planned && <span className={`origin origin-${planned.origin}`}>{t(`origin_${planned.origin}`)}</span>}
      {shape && <span className="shape">{shape}</span>}
      {text && <span className="time">{text}</span>}
    </p>
  );
}

function told(run: { status: string; origin?: string; seconds?: number }): string | undefined {
  if (run.status === "cancelled") return t("cancelled");
  if (run.status !== "done" || run.seconds === undefined) return undefined;
  if (run.origin === "memory") return t("fromMemory");
  if (run.origin === "disk") return t("fromDisk");
  return seconds(run.seconds);
}
