import { useShallow } from "zustand/react/shallow";
import { redoName, undoName } from "@/model/history";
import { useCheck } from "@/state/check";
import { useCatalogue } from "@/state/catalogue";
import { editWorkflow, redo, tabOf, undo, useDocuments, useTab, workflowOf } from "@/state/documents";
import { allSeedsFixed, withRandomSeeds } from "@/state/seeds";
import { cancel, run, useQueueing } from "@/state/running";
import { activeRuns, useRuns, type Run } from "@/state/runs";
import { useElapsed } from "@/state/clock";
import { useSettings } from "@/state/settings";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { BatchCount } from "./BatchCount";

/** Undo, and everything about running. */
export function TopBar() {
  return (
    <div className="top-bar" role="toolbar" aria-label={t("runBar")}>
      <UndoButtons />
      <div className="spacer" />
      <RunStatus />
      <RunControls />
    </div>
  );
}

function UndoButtons() {
  const undoable = useTab((tab) => undoName(tab.history));
  const redoable = useTab((tab) => redoName(tab.history));
  return (
    <>
      <button
        disabled={undoable === undefined}
        title={t("undoStep", { step: undoable ?? "" })}
        aria-label={t("undo")}
        onClick={undo}
      >
        ↶
      </button>
      <button
        disabled={redoable === undefined}
        title={t("redoStep", { step: redoable ?? "" })}
        aria-label={t("redo")}
        onClick={redo}
      >
        ↷
      </button>
    </>
  );
}

function RunControls() {
  const { runOnChange, batchCount, set } = useSettings();
  const planned = useCheck((check) => check.run);
  const more = useCheck((check) => check.maybe > 0);
  const active = useDocuments((state) => tabOf(state).key);
  const left = useQueueing((state) => state[active]?.left ?? 0);
  const busy = useRuns((state) => activeRuns(state, active).length) + left;
  return (
    <>
      <label className="check" title={t("runOnChangeHelp")}>
        <input
          type="checkbox"
          checked={runOnChange}
          onChange={(event) => set({ runOnChange: event.target.checked })}
        />
        {t("runOnChange")}
      </label>
      {batchCount > 1 && <SameSeed />}
      <BatchCount />
      <button className="primary" title={t("runHelp")} onClick={() => void run()}>
        {planned === undefined ? t("run") : t(more ? "runCountOrMore" : "runCount", { count: planned })}
      </button>
      <button disabled={busy === 0} onClick={() => void cancel()}>
        {busy > 1 ? t("cancelCount", { count: busy }) : t("cancel")}
      </button>
    </>
  );
}

/** Several runs that differ in nothing would surprise. */
function SameSeed() {
  const catalogue = useCatalogue((state) => state.catalogue);
  const fixed = useTab((tab) => allSeedsFixed(workflowOf(tab), catalogue));
  if (!fixed) return null;
  const randomise = () => editWorkflow({ name: t("stepSeeds") }, (flow) => withRandomSeeds(flow, catalogue));
  return (
    <span className="run-status same-seed">
      {t("sameSeed")}
      <button onClick={randomise}>{t("randomise")}</button>
    </span>
  );
}

/** What runs now: how far, how long, and about how long still. */
function RunStatus() {
  const active = useDocuments((state) => tabOf(state).key);
  const runs = useRuns(useShallow((state) => activeRuns(state, active)));
  const left = useQueueing((state) => state[active]?.left ?? 0);
  const planned = useCheck((check) => check.run);
  const running = runs.find((candidate) => candidate.state === "running");
  if (running) return <Running run={running} />;
  const waiting = runs.length + left;
  if (waiting > 0) return <span className="run-status">{t("waiting", { count: waiting })}</span>;
  return planned === 0 ? <span className="run-status">{t("nothingToRun")}</span> : null;
}

function Running({ run: { tab, started, planned, finished } }: { run: Run }) {
  const elapsed = useElapsed(started);
  const within = useRuns((state) => shareOfRunning(state.nodes[tab] ?? {}));
  const share = planned > 0 ? Math.min(1, (finished + within) / planned) : undefined;
  const left = share !== undefined && share > 0.05 ? elapsed / share - elapsed : undefined;
  return (
    <span className="run-status">
      <progress max={1} value={share} aria-label={t("runProgress")} />
      {t("elapsed", { time: seconds(elapsed) })}
      {left !== undefined && ` · ${t("left", { time: seconds(left) })}`}
    </span>
  );
}

/** How far the nodes are that run now, together. */
function shareOfRunning(
  nodes: Readonly<Record<string, { status: string; value?: number; total?: number }>>,
): number {
  return Object.values(nodes)
    .filter((node) => node.status === "running" && node.total)
    .reduce((sum, { value = 0, total = 1 }) => sum + value / total, 0);
}
