import { ApiError, Unreachable } from "@/api/problems";
import { BadDocument } from "@/model/reading";
import { tell } from "@/state/announcer";
import { t } from "@/strings";

/** Do something with the server; say what went wrong, in its words, and with what, where that has a name. */
export async function telling(act: () => Promise<void>, name?: string): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell(failureOf(error, name));
  }
}

/** Why something could not be had, in words. Throws again what no person can do anything about. */
export function failureOf(error: unknown, name?: string): string {
  if (error instanceof Unreachable) return t("serverGone");
  if (!(error instanceof ApiError || error instanceof BadDocument)) throw error;
  const why = error instanceof ApiError ? error.detail : error.message;
  return name === undefined ? why : t("saidOf", { name, why });
}
