import { Unreachable } from "@/api/problems";
import { tell } from "@/state/announcer";
import { t } from "@/strings";
import { wordsOf } from "@/state/words";

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
  const why = wordsOf(error);
  return name === undefined || error instanceof Unreachable ? why : t("saidOf", { name, why });
}
