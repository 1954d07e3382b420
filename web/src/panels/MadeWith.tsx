import { useCallback } from "react";
import { getJobWorkflow } from "@/api/client";
import { madeWith } from "@/model/madeWith";
import { readWorkflow } from "@/model/reading";
import { t } from "@/strings";
import type { Picture } from "./outputs";
import { useLoaded } from "./useLoaded";

/** The prompt, the seed and the like of a picture. */
export function MadeWith({ picture: { job, node } }: { picture: Picture }) {
  const load = useCallback(
    async () => (job === undefined ? {} : madeWith(readWorkflow(await getJobWorkflow(job)).workflow, node)),
    [job, node],
  );
  const { value } = useLoaded(load);
  if (!value || Object.keys(value).length === 0) return null;
  const { text, ...numbers } = value;
  return (
    <dl className="made-with" aria-label={t("madeWith")}>
      {text !== undefined && (
        <div className="grow">
          <dt>{t("prompt")}</dt>
          <dd>{String(text)}</dd>
        </div>
      )}
      {Object.entries(numbers).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
