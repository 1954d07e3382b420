import { useSettings } from "@/state/settings";
import { t } from "@/strings";
import { Note } from "@/widgets/Note";
import { clamp, type Limits } from "@/widgets/numbers";
import { useTypedNumber } from "@/widgets/useTypedNumber";

const LIMITS: Limits = { minimum: 1, maximum: 999, step: 1, whole: true };

/** How many runs one press of Run queues; what cannot be is told beside the field. */
export function BatchCount() {
  const { batchCount, set } = useSettings();
  const keep = (count: number) => set({ batchCount: clamp(count, LIMITS) });
  const step = (steps: number) => keep(batchCount + Math.sign(steps));
  const { draft, setDraft, note, finish, onKey } = useTypedNumber(LIMITS, keep, step);
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
