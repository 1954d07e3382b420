import { useState } from "react";
import { submitBatch } from "@/api/client";
import { placeName, type Cell } from "@/model/sweep";
import { tell } from "@/state/announcer";
import { currentTab, useTab, workflowOf } from "@/state/documents";
import { useNodeNames } from "@/state/nodeNames";
import { followJob } from "@/state/runs";
import { t } from "@/strings";
import { Shell } from "./Shell";
import { SweepGrid } from "./SweepGrid";
import { cellsOf, sweepables, type Choice, type Sweepable } from "./sweepAxes";
import { wordsOf } from "./useLoaded";

export interface Queued {
  readonly cells: readonly Cell[];
  readonly jobs: readonly string[];
}

/** One run for each combination of the values of one or two inputs; the pictures side by side. */
export default function SweepPanel() {
  const workflow = useTab(workflowOf);
  const inputs = sweepables(workflow);
  const [axes, setAxes] = useState<readonly (Choice | undefined)[]>([undefined, undefined]);
  const [queued, setQueued] = useState<Queued>();
  const chosen = axes.filter((axis) => axis !== undefined);
  const cells = cellsOf(chosen);
  const change = (at: number, axis: Choice | undefined) =>
    setAxes(axes.map((old, index) => (index === at ? axis : old)));
  const start = async (planned: readonly Cell[]) => {
    try {
      const tab = currentTab();
      const jobs = await submitBatch(
        workflow,
        planned.map(({ overrides }) => overrides),
        { label: t("sweep") },
      );
      for (const job of jobs) followJob(job, tab.key);
      setQueued({ cells: planned, jobs: jobs.map(({ id }) => id) });
    } catch (error) {
      tell(wordsOf(error));
    }
  };
  return (
    <Shell>
      <p className="quiet">{t("sweepHelp")}</p>
      {axes.map((axis, index) => (
        <AxisField
          key={index}
          name={t(index === 0 ? "across" : "down")}
          inputs={inputs}
          axis={axis}
          onChange={(next) => change(index, next)}
        />
      ))}
      {cells === undefined && (
        <p className="panel-problem" role="alert">
          {t("sweepUnreadable")}
        </p>
      )}
      <button className="primary" disabled={!cells?.length} onClick={() => cells && void start(cells)}>
        {t("sweepStart", { count: cells?.length ?? 0 })}
      </button>
      {queued && <SweepGrid queued={queued} />}
    </Shell>
  );
}

function AxisField({
  name,
  inputs,
  axis,
  onChange,
}: {
  name: string;
  inputs: readonly Sweepable[];
  axis: Choice | undefined;
  onChange: (axis: Choice | undefined) => void;
}) {
  const nameOf = useNodeNames();
  const choose = (place: string) => {
    const of = inputs.find((one) => placeName(one) === place);
    onChange(of && { of, text: of.choices?.join(", ") ?? "" });
  };
  return (
    <fieldset>
      <legend>{name}</legend>
      <select
        aria-label={t("sweepInput", { axis: name })}
        value={axis ? placeName(axis.of) : ""}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{t("sweepNoInput")}</option>
        {inputs.map((one) => (
          <option key={placeName(one)} value={placeName(one)}>
            {`${nameOf(one.node)} · ${one.input}`}
          </option>
        ))}
      </select>
      {axis && (
        <textarea
          rows={2}
          aria-label={t("sweepValues", { axis: name })}
          placeholder={t(axis.of.kind === "text" ? "sweepWords" : "sweepNumbers")}
          value={axis.text}
          onChange={(event) => onChange({ ...axis, text: event.target.value })}
        />
      )}
    </fieldset>
  );
}
