/** Names under which workflows are saved; the server knows more of what it takes. */
import { t } from "@/strings";

/** What is wrong with a name that would not even reach the server as it is. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return t("saveNameBlank");
  const parts = name.split("/");
  if (parts.some((part) => part.trim() === "")) return t("saveNameEmptyPart", { name });
  const climbing = parts.find((part) => part === "." || part === "..");
  return climbing === undefined ? undefined : t("saveNameClimbs", { name, part: climbing });
}
