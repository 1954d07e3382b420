import { memo } from "react";
import { useShallow } from "zustand/react/shallow";
import { subgraphName } from "@/model/document";
import { prefixOf, useTab } from "@/state/documents";
import { useCheck, type Issue } from "@/state/check";
import type { NodeType } from "@/state/nodeTypes";
import { useRunOf } from "@/state/runs";
import { t } from "@/strings";
import { seconds } from "@/strings/units";

const MOST_ISSUES = 3;
const UNWIRED = "missing_input";

/** The foot of a card: what is wrong, what will happen, what happened. */
export const CardStatus = memo(function CardStatus({ id, type }: { id: string; type: NodeType }) {
  return (
    <footer className="card-status">
      <Missing id={id} type={type} />
      {showsNothing(type) && <p className="quiet">{t("showsNothing")}</p>}
      <Issues id={id} />
      <Failure id={id} />
      <Plan id={id} />
    </footer>
  );
});

/** A subgraph of which nothing is to be seen outside. */
function showsNothing({ id, inputs, outputs }: NodeType): boolean {
  return subgraphName(id) !== undefined && inputs.length + outputs.length === 0;
}

/** Said here as long as the server has not said it: it may know more. */
function Missing({ id, type }: { id: string; type: NodeType }) {
  const path = useTab(prefixOf) + id;
  const told = useCheck((check) => check.issues.some((issue) => issue.node === path));
  if (!type.missing || told) return null;
  return <p className="problem">{t("missingPack", { type: type.id, pack: type.pack || "?" })}</p>;
}

/** Inputs that wait for a wire share one line: a node that was just added is not yet wrong. */
function Issues({ id }: { id: string }) {
  const path = useTab(prefixOf) + id;
  const issues = useCheck(useShallow((check) => check.issues.filter((issue) => isAbout(issue, path))));
  const waiting = issues.filter((issue) => issue.code === UNWIRED && issue.node === path);
  const others = issues.filter((issue) => !waiting.includes(issue));
  return (
    <>
      {waiting.length > 0 && (
        <p className="quiet">{t("needsWires", { inputs: waiting.map(({ input }) => input).join(", ") })}</p>
      )}
      {others.slice(0, MOST_ISSUES).map((issue, index) => (
        <p key={index} className={`nowheel ${issue.severity === "warning" ? "warning" : "problem"}`}>
          {issue.node !== path && <b>{issue.node?.slice(path.length + 1)} </b>}
          {issue.message}
          {issue.suggestions.length > 0 && <span className="remedy">{issue.suggestions.join(" · ")}</span>}
        </p>
      ))}
      {others.length > MOST_ISSUES && (
        <p className="quiet">{t("moreIssues", { count: others.length - MOST_ISSUES })}</p>
      )}
    </>
  );
}

/** About a node, or one inside the subgraph that it stands for. */
function isAbout({ node }: Issue, path: string): boolean {
  return node === path || (node?.startsWith(`${path}/`) ?? false);
}

function Failure({ id }: { id: string }) {
  const failure = useRunOf(id, (run) => run?.error);
  if (failure === undefined) return null;
  return (
    <p className="problem nowheel" role="alert">
      {failure}
    </p>
  );
}

/**
 * One quiet line: run or cached and what comes out, then how long it took and where it came from.
 *
 * What was planned before a node ran is told no more once it does.
 */
function Plan({ id }: { id: string }) {
  const path = useTab(prefixOf) + id;
  const planned = useCheck(useShallow((check) => check.nodes[path]));
  const text = useRunOf(id, (run) => run && told(run));
  const settled = useRunOf(id, (run) => (run?.status === "running" ? Infinity : (run?.ended ?? 0)));
  const outdated = useCheck((check) => check.asked < settled);
  const shape = planned?.outputs;
  const cause = planned?.leftOutBy;
  if (cause !== undefined)
    return <p className="plan">{cause === path ? t("leftOutItself") : t("leftOut", { node: cause })}</p>;
  const origin = outdated ? undefined : planned?.origin;
  if (!text && !origin && !shape) return null;
  return (
    <p className="plan">
      {origin && <span className={`origin origin-${origin}`}>{t(`origin_${origin}`)}</span>}
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
