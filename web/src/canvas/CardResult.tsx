import { memo } from "react";
import { useShallow } from "zustand/react/shallow";
import { tensorOutputs } from "@/model/tensors";
import { TensorRow } from "@/panels/TensorRow";
import { useElapsed } from "@/state/clock";
import type { Graph } from "@/model/document";
import { graphOf, useTab } from "@/state/documents";
import { outputsInUse, type NodeType } from "@/state/nodeTypes";
import { useRunOf } from "@/state/runs";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { OutputValues } from "./OutputValues";
import { useShownOutputs } from "./shownResult";

/** What a node shows while it runs and what came of it. */
export const CardResult = memo(function CardResult({ id, type }: { id: string; type: NodeType }) {
  return (
    <>
      <Progress id={id} />
      <Preview id={id} />
      <Outputs id={id} />
      <Tensors id={id} names={tensorOutputs(type.outputs)} />
    </>
  );
});

function Progress({ id }: { id: string }) {
  const run = useRunOf(id, (state) => (state?.status === "running" ? state : undefined));
  const elapsed = useElapsed(run?.started);
  if (run === undefined) return null;
  const share = run.total ? (run.value ?? 0) / run.total : undefined;
  return (
    <div className="progress">
      <progress max={1} value={share} aria-label={t("progressOf", { node: id })} />
      <span>
        {run.total ? t("steps", { value: run.value ?? 0, total: run.total }) : ""} {seconds(elapsed)}
      </span>
    </div>
  );
}

function Preview({ id }: { id: string }) {
  const preview = useRunOf(id, (state) => state?.preview);
  if (preview === undefined) return null;
  return (
    <img className="preview" src={preview} alt={t("previewOf", { node: id })} title={t("previewHelp")} />
  );
}

function Outputs({ id }: { id: string }) {
  const outputs = useShownOutputs(id);
  return outputs ? <OutputValues outputs={outputs} node={id} /> : null;
}

/** Masks and latents that go on to other nodes. */
function Tensors({ id, names }: { id: string; names: readonly string[] }) {
  const used = useTab(useShallow((tab) => names.filter((name) => isUsed(graphOf(tab), id, name))));
  return used.map((output) => <TensorRow key={output} node={id} output={output} />);
}

function isUsed(graph: Graph, id: string, output: string): boolean {
  return outputsInUse(graph).get(id)?.includes(output) ?? false;
}
