import { useState } from "react";
import { nodeOf } from "@/model/document";
import { setUi } from "@/model/edit";
import { isSeed, MAX_SEED, parseSeed, randomSeed, type AfterRun } from "@/model/seeds";
import { edit, graphOf, useTab } from "@/state/documents";
import { afterRunOf } from "@/model/batches";
import { t } from "@/strings";
import { Note, useNote } from "./Note";
import type { WidgetProps } from "./registry";

const CHOICES: readonly AfterRun[] = ["fixed", "increment", "decrement", "randomise"];
const SIGNS: Record<AfterRun, string> = { fixed: "=", increment: "+1", decrement: "−1", randomise: "⚄" };

/** A seed, a button for a random one, and what becomes of it after a run. */
export function SeedWidget({ controlId, node, input, value, onChange }: WidgetProps) {
  const [draft, setDraft] = useState<string>();
  const shown = isSeed(value) ? String(value) : "0";
  const after = useTab((tab) => afterRunOf(nodeOf(graphOf(tab), node), input.name));
  const [note, tell] = useNote();
  const finish = () => {
    if (draft === undefined) return;
    const seed = parseSeed(draft);
    if (seed !== undefined) onChange(seed);
    tell(seed === undefined && draft.trim() !== "" ? t("noSeed", { most: String(MAX_SEED) }) : undefined);
    setDraft(undefined);
  };
  return (
    <>
      <div className="seed">
        <input
          id={controlId}
          inputMode="numeric"
          autoComplete="off"
          title={shown}
          value={draft ?? shown}
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
      <Note text={note} />
    </>
  );
}

function setAfter(node: string, input: string, after: AfterRun): void {
  edit({ name: t("stepSeeds") }, (graph) => {
    const { [input]: _, ...others } = (nodeOf(graph, node)?.ui?.seeds ?? {}) as Record<string, AfterRun>;
    const seeds = after === "fixed" ? others : { ...others, [input]: after };
    return setUi(graph, [node], { seeds });
  });
}
