import { useState, type KeyboardEvent } from "react";
import { useSettings } from "@/state/settings";
import { t } from "@/strings";
import { Note, useNote } from "@/widgets/Note";
import { clamp, parseNumber, type Limits } from "@/widgets/numbers";
import { whatBecame } from "@/widgets/typedNumber";

const LIMITS: Limits = { minimum: 1, maximum: 999, step: 1, whole: true };

/** How many runs one press of Run queues; what cannot be is told beside the field. */
export function BatchCount() {
  const { batchCount, set } = useSettings();
  const [draft, setDraft] = useState<string>();
  const [note, tell] = useNote();
  const keep = (count: number) => set({ batchCount: clamp(count, LIMITS) });
  const finish = () => {
    if (draft === undefined) return;
    const typed = parseNumber(draft);
    if (typed !== undefined) keep(typed);
    tell(whatBecame(draft, typed, LIMITS));
    setDraft(undefined);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") setDraft(undefined);
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    keep(batchCount + direction);
  };
  return (
    <div className="batch">
      <input
        role="spinbutton"
        inputMode="numeric"
        autoComplete="off"
        aria-label={t("batchCount")}
        aria-valuenow={batchCount}
        aria-valuemin={LIMITS.minimum}
        aria-valuemax={LIMITS.maximum}
        title={t("batchCountHelp", { most: LIMITS.maximum })}
        value={draft ?? String(batchCount)}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={onKey}
      />
      <Note text={note} />
    </div>
  );
}
