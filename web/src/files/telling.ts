import { ApiError, Unreachable } from "@/api/problems";
import { tell } from "@/state/announcer";
import { t } from "@/strings";

/** Do something with the server; say what went wrong, in its words. */
export async function telling(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof ApiError) return tell(error.detail);
    if (error instanceof Unreachable) return tell(t("serverGone"));
    throw error;
  }
}
