import { memo } from "react";
import { useShallow } from "zustand/react/shallow";
import { subgraphName } from "@/model/document";
import { prefixOf, useTab } from "@/state/documents";
import { useCheck, type Issue } from "@/state/check";
import type { NodeType } from "@/state/nodeTypes";
import { useIterationOf, useRunOf, type Iteration } from "@/state/runs";
import { useNodeNames } from "@/state/nodeNames";
import { t } from "@/strings";
import { widgetKind } from "@/widgets/kinds";
import { FailureDetails } from "@/panels/FailureDetails";
import { wordsOfRun } from "./runWords";
import { RemedyButton } from "./RemedyButton";
import { showNamed } from "./showNode";

const MOST_ISSUES = 3;
const UNWIRED = "missing_input";

/** The foot of a card: what is wrong, what will happen, what happened. */
export const CardStatus = memo(function CardStatus({ id, type }: { id: string; type: NodeType }) {
  return (
    <footer className="card-status">
      <Missing id={id} type={type} />
      {showsNothing(type) && <p className="quiet">{t("showsNothing")}</p>}
      <Issues id={id} type={type} />
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

/** Inputs that wait for a wire or a choice share a line: a node that was just added is not yet wrong. */
function Issues({ id, type }: { id: string; type: NodeType }) {
  const path = useTab(prefixOf) + id;
  const issues = useCheck(useShallow((check) => check.issues.filter((issue) => isAbout(issue, path))));
  const waiting = issues.filter((issue) => issue.code === UNWIRED && issue.node === path);
  const others = issues.filter((issue) => !waiting.includes(issue));
  const inside = others.filter((issue) => issue.node !== path);
  return (
    <>
      <Waiting inputs={waiting.map(({ input }) => input ?? "")} type={type} />
      {inside.length > 0 && <p className="quiet">{t("issuesInside", { count: inside.length })}</p>}
      {others.slice(0, MOST_ISSUES).map((issue, index) => (
        <Told key={index} issue={issue} path={path} />
      ))}
      {others.length > MOST_ISSUES && (
        <p className="quiet">{t("moreIssues", { count: others.length - MOST_ISSUES })}</p>
      )}
    </>
  );
}

function Waiting({ inputs, type }: { inputs: readonly string[]; type: NodeType }) {
  const chosen = type.inputs.filter((input) => widgetKind(input) !== undefined).map(({ name }) => name);
  const [choices, wires] = [true, false].map((choice) =>
    inputs.filter((input) => chosen.includes(input) === choice).join(", "),
  );
  return (
    <>
      {wires && <p className="quiet">{t("needsWires", { inputs: wires })}</p>}
      {choices && <p className="quiet">{t("needsChoice", { inputs: choices })}</p>}
    </>
  );
}

/** One issue; of a node inside, it leads there. */
function Told({ issue, path }: { issue: Issue; path: string }) {
  const { message, node, severity, suggestions } = issue;
  const look = severity === "warning" ? "warning" : "problem";
  const near = suggestions.length > 0 && <span className="remedy">{suggestions.join(" · ")}</span>;
  if (!node || node === path)
    return (
      <p className={`nowheel ${look}`}>
        {message}
        {near}
        <RemedyButton remedy={issue.remedy} />
      </p>
    );
  const inner = node.slice(path.length + 1);
  return (
    <button
      className={`told nodrag ${look}`}
      title={t("goInside", { node: inner })}
      onClick={() => showNamed(node)}
    >
      <b>{inner} </b>
      {message}
      {near}
    </button>
  );
}

/** About a node, or one inside the subgraph that it stands for or runs. */
function isAbout({ node }: Issue, path: string): boolean {
  return node === path || (node?.startsWith(`${path}/`) ?? false);
}

function Failure({ id }: { id: string }) {
  const failure = useRunOf(id, (run) => run?.error);
  const failed = useRunOf(id, (run) => run?.failed);
  if (failure === undefined) return null;
  return (
    <>
      <p className="problem nowheel" role="alert">
        {failure}
      </p>
      {failed && <FailureDetails failed={failed} />}
    </>
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
  const ended = useRunOf(id, (run) => (run?.status === "running" ? Infinity : (run?.ended ?? 0)));
  const outdated = useCheck(({ asked }) => ended > asked); // every edit asks: whether is all that may render
  const iteration = useIterationOf(id);
  const origin = outdated ? undefined : planned?.origin;
  const text = useRunOf(id, (run) => run && wordsOfRun(run, origin));
  const shape = planned?.outputs;
  const cause = planned?.leftOutBy;
  if (cause !== undefined) return <LeftOut cause={cause} itself={cause === path} />;
  if (!text && !origin && !shape && !iteration) return null;
  return (
    <p className="plan">
      {origin && <span className={`origin origin-${origin}`}>{t(`origin_${origin}`)}</span>}
      {shape && <span className="shape">{shape}</span>}
      {iteration && <span className="iteration">{whichOf(iteration)}</span>}
      {text && <span className="time">{text}</span>}
    </p>
  );
}

/** A component of its own: only where it is shown do changes elsewhere matter. */
function LeftOut({ cause, itself }: { cause: string; itself: boolean }) {
  const nameOf = useNodeNames();
  return <p className="plan">{itself ? t("leftOutItself") : t("leftOut", { node: nameOf(cause) })}</p>;
}

function whichOf({ number, of }: Iteration): string {
  return of === undefined ? t("iteration", { number }) : t("iterationOf", { number, of });
}
