import { ApiError, NotTheApi, Unreachable } from "@/api/problems";
import { BadDocument } from "@/model/reading";
import { t } from "@/strings";

/** What went wrong with a request, or what came of it, for people. Whatever else is thrown is a mistake of the editor. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.detail;
  if (error instanceof BadDocument) return error.message;
  if (error instanceof NotTheApi)
    return t("notTheApi", { what: t(`came_${error.came}`, { shown: error.shown }) });
  if (error instanceof Unreachable) return t("serverGone");
  throw error;
}
