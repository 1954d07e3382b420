import { useMemo, useState } from "react";
import type { JobView } from "@/api/client";
import { openJob } from "@/files/opening";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { forget, refresh, rerun, showMore, useJobName, useLiveJobs } from "./jobs";
import { picturesOfJob, type Picture } from "./outputs";
import { PictureGrid } from "./PictureGrid";
import { Shell } from "./Shell";

/** Jobs that have ended, the newest first. */
export default function HistoryPanel() {
  const { history, next, problem } = useLiveJobs();
  const pictures = useMemo(() => (history ?? []).flatMap(picturesOfJob), [history]);
  return (
    <Shell
      problem={problem}
      loading={history === undefined}
      empty={history?.length === 0}
      onRetry={() => void refresh()}
    >
      <ul className="panel-list jobs">
        {history?.map((job) => (
          <Entry key={job.id} job={job} pictures={pictures} />
        ))}
      </ul>
      {next !== null && <button onClick={() => void showMore()}>{t("more_")}</button>}
    </Shell>
  );
}

function Entry({ job, pictures }: { job: JobView; pictures: readonly Picture[] }) {
  const [busy, setBusy] = useState(false);
  const name = useJobName(job);
  const why = job.result?.error?.message ?? job.result?.errors[0]?.message;
  const again = async () => {
    setBusy(true);
    await rerun(job);
    setBusy(false);
  };
  return (
    <li className="job">
      <div className="row">
        <span className="grow">{name}</span>
        <span className={`state ${job.state}`}>{t(`state_${job.state}`)}</span>
        {job.result && <span className="quiet">{seconds(job.result.seconds)}</span>}
      </div>
      <About summary={job.summary} />
      <PictureGrid pictures={picturesOfJob(job)} among={pictures} />
      {why !== undefined && <p className="panel-problem">{why}</p>}
      <div className="row">
        <button disabled={busy} onClick={() => void again()}>
          {t("rerun")}
        </button>
        <button onClick={() => void openJob(job.id)}>{t("openJob")}</button>
        <span className="grow" />
        <button
          aria-label={t("forget", { job: name })}
          title={t("forget", { job: name })}
          onClick={() => void forget(job.id)}
        >
          ×
        </button>
      </div>
    </li>
  );
}

/** What tells one run of a workflow from the next. */
function About({ summary: { prompt, seed } }: Pick<JobView, "summary">) {
  const told = [seed !== null && t("seedOf", { seed }), prompt].filter(Boolean);
  if (told.length === 0) return null;
  return (
    <p className="job-about quiet" title={prompt}>
      {told.join(" · ")}
    </p>
  );
}
