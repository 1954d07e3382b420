import { useState } from "react";
import { nodeOf } from "@/model/document";
import { setUi } from "@/model/edit";
import { isSeed, parseSeed, randomSeed, type AfterRun } from "@/model/seeds";
import { edit, graphOf, useTab } from "@/state/documents";
import { afterRunOf } from "@/state/running";
import { t } from "@/strings";
import type { WidgetProps } from "./registry";

const CHOICES: readonly AfterRun[] = ["fixed", "increment", "decrement", "randomise"];
const SIGNS: Record<AfterRun, string> = { fixed: "=", increment: "+1", decrement: "−1", randomise: "⚄" };

/** A seed, a button for a random one, and what becomes of it after a run. */
export function SeedWidget({ controlId, node, input, value, onChange }: WidgetProps) {
  const [draft, setDraft] = useState<string>();
  const after = useTab((tab) => afterRunOf(nodeOf(graphOf(tab), node), input.name));
  const finish = () => {
    const seed = draft === undefined ? undefined : parseSeed(draft);
    if (seed !== undefined) onChange(seed);
    setDraft(undefined);
  };
  return (
    <div className="seed">
      <input
        id={controlId}
        inputMode="numeric"
        autoComplete="off"
        value={draft ?? (isSeed(value) ? String(value) : "0")}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => event.key === "Enter" && finish()}
      />
      <button aria-label={t("newSeed")} title={t("newSeed")} onClick={() => onChange(randomSeed())}>
        ⚄
      </button>
      <span className="after-run" title={`${t("afterRun")}: ${t(`seed_${after}`)}`}>
        {SIGNS[after]}
        <select
          aria-label={t("afterRun")}
          value={after}
          onChange={(event) => setAfter(node, input.name, event.target.value as AfterRun)}
        >
          {CHOICES.map((choice) => (
            <option key={choice} value={choice} label={`${SIGNS[choice]} ${t(`seed_${choice}`)}`} />
          ))}
        </select>
      </span>
    </div>
  );
}

function setAfter(node: string, input: string, after: AfterRun): void {
  edit({ name: t("stepSeeds") }, (graph) => {
    const { [input]: _, ...others } = (nodeOf(graph, node)?.ui?.seeds ?? {}) as Record<string, AfterRun>;
    const seeds = after === "fixed" ? others : { ...others, [input]: after };
    return setUi(graph, [node], { seeds });
  });
}
