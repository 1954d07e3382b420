import { useCallback, useState } from "react";
import { getJob } from "@/api/client";
import type { Failure } from "@/state/runs";
import { t } from "@/strings";
import { useLoaded } from "./useLoaded";
import "./failure.css";

/** How a node failed, as far as the server tells: folded until someone asks. */
export function FailureDetails({ failed }: { failed: Failure }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="failure nodrag nowheel" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("failureDetails")}</summary>
      {open && <Told failed={failed} />}
    </details>
  );
}

function Told({ failed: { job, node } }: { failed: Failure }) {
  const { value, problem, reload } = useLoaded(useCallback(() => getJob(job), [job]));
  const error = value?.result?.errors.find((one) => one.node === node);
  if (problem !== undefined || (value && !error))
    return (
      <p className="quiet">
        {problem ?? t("failureUnknown")} <button onClick={reload}>{t("again")}</button>
      </p>
    );
  if (error === undefined) return <p className="quiet">{t("loading")}</p>;
  const given = Object.entries(error.inputs ?? {}).map(([name, value]) => `${name} = ${value}`);
  return (
    <pre tabIndex={0}>
      {[...(error.frames ?? []), error.place, error.message, "", ...given].join("\n").trim()}
    </pre>
  );
}
