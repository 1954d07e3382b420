/** What is said of numbers that were typed. */
import { t } from "@/strings";
import { clamp, limitBroken, type Limits } from "./numbers";

/** What is said where something else than what was typed is kept. */
export function whatBecame(draft: string, typed: number | undefined, limits: Limits): string | undefined {
  if (typed === undefined) return draft.trim() === "" ? undefined : t("noNumber", { typed: draft.trim() });
  const broken = limitBroken(typed, limits);
  const { minimum, maximum, step } = limits;
  return (
    broken && t(broken, { minimum, maximum, step, typed: shown(typed), now: shown(clamp(typed, limits)) })
  );
}

/** A number as it stands in a field. */
export function shown(number: number): string {
  return String(Number(number.toPrecision(10)));
}
