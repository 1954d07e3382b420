import { submitBatch } from "@/api/client";
import { placeName, withOverrides, type Cell } from "@/model/sweep";
import { tell } from "@/state/announcer";
import { whenHeard } from "@/state/connection";
import { currentTab, tabOf, useDocuments, useTab, workflowOf } from "@/state/documents";
import { useNodeNames } from "@/state/nodeNames";
import { followJob } from "@/state/runs";
import { useSession } from "@/state/session";
import { setSweep, useSweep, type AxisChoice } from "@/state/sweeps";
import { wordsOf } from "@/state/words";
import { t } from "@/strings";
import { Shell } from "./Shell";
import { SweepGrid } from "./SweepGrid";
import { cellsOf, sweepables, type Sweepable } from "./sweepAxes";

/** One run for each combination of the values of one or two inputs; the pictures side by side. */
export default function SweepPanel() {
  const workflow = useTab(workflowOf);
  const key = useDocuments((state) => tabOf(state).key);
  const most = useSession(({ limits }) => limits["max_batch"] ?? Infinity);
  const inputs = sweepables(workflow);
  const [{ axes, queued }, change] = useSweep(key);
  const cells = cellsOf(axes, inputs);
  const count = cells?.length ?? 0;
  return (
    <Shell>
      <p className="quiet">{t("sweepHelp")}</p>
      {axes.map((axis, index) => (
        <AxisField
          key={index}
          name={t(index === 0 ? "across" : "down")}
          inputs={inputs.filter((one) => !isSame(one, axes[1 - index]))}
          axis={axis}
          onChange={(next) => change({ axes: axes.map((old, at) => (at === index ? next : old)) })}
        />
      ))}
      <button
        className="primary"
        disabled={count === 0 || count > most}
        aria-describedby="sweep-problem"
        onClick={() => cells && void start(cells)}
      >
        {t("sweepStart", { count })}
      </button>
      <p id="sweep-problem" className="panel-problem" role="alert">
        {cells === undefined ? t("sweepUnreadable") : count > most ? t("sweepTooMany", { count, most }) : ""}
      </p>
      {queued.length > 0 && <SweepGrid cells={queued} />}
    </Shell>
  );
}

async function start(cells: readonly Cell[]): Promise<void> {
  const tab = currentTab();
  try {
    const variants = cells.map(({ overrides }) => overrides);
    const workflow = workflowOf(tab);
    await whenHeard();
    const jobs = await submitBatch(workflow, variants, { label: t("sweep") });
    for (const [index, job] of jobs.entries())
      followJob(job, tab.key, withOverrides(workflow, variants[index] ?? {}));
    setSweep(tab.key, { queued: jobs.flatMap(({ id }, index) => ({ ...(cells[index] as Cell), job: id })) });
  } catch (error) {
    tell(wordsOf(error));
  }
}

function isSame(one: Sweepable, axis: AxisChoice | null | undefined): boolean {
  return one.node === axis?.node && one.input === axis.input;
}

function AxisField({
  name,
  inputs,
  axis,
  onChange,
}: {
  name: string;
  inputs: readonly Sweepable[];
  axis: AxisChoice | null;
  onChange: (axis: AxisChoice | null) => void;
}) {
  const chosen = inputs.find((one) => isSame(one, axis));
  const nameOf = useNodeNames();
  const choose = (place: string) => {
    const of = inputs.find((one) => placeName(one) === place);
    onChange(of ? { node: of.node, input: of.input, text: of.choices?.join(", ") ?? "" } : null);
  };
  return (
    <fieldset>
      <legend>{name}</legend>
      <select
        aria-label={t("sweepInput", { axis: name })}
        value={chosen ? placeName(chosen) : ""}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{t("sweepNoInput")}</option>
        {inputs.map((one) => (
          <option key={placeName(one)} value={placeName(one)}>
            {`${nameOf(one.node)} · ${one.input}`}
          </option>
        ))}
      </select>
      {axis && chosen && (
        <textarea
          rows={2}
          aria-label={t("sweepValues", { axis: name })}
          placeholder={t(chosen.kind === "text" ? "sweepWords" : "sweepNumbers")}
          value={axis.text}
          onChange={(event) => onChange({ ...axis, text: event.target.value })}
        />
      )}
    </fieldset>
  );
}
