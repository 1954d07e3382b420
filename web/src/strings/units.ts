import { t } from "./index";

/** A time in seconds for people: `0.42 s`, `12 s`, `3 min 5 s`. */
export function seconds(value: number): string {
  if (value < 60) return t("secondsShort", { seconds: value < 10 ? value.toFixed(2) : value.toFixed(0) });
  return t("minutesShort", { minutes: Math.floor(value / 60), seconds: Math.round(value % 60) });
}
