import { t } from "./index";

/** A time in seconds for people: `420 ms`, `1.5 s`, `12 s`, `3 min 5 s`. */
export function seconds(value: number): string {
  if (value < 0.95) return t("milliseconds", { count: Math.max(1, Math.round(value * 1000)) });
  if (value < 60) return t("secondsShort", { seconds: value < 10 ? value.toFixed(1) : value.toFixed(0) });
  return t("minutesShort", { minutes: Math.floor(value / 60), seconds: Math.round(value % 60) });
}
