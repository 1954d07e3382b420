import type { JobView } from "@/api/client";
import { useElapsed } from "@/state/clock";
import { t } from "@/strings";
import { seconds } from "@/strings/units";
import { cancel, move, pause, refresh, useJobName, useLiveJobs } from "./jobs";
import { Shell } from "./Shell";

/** What runs and what waits: to reorder, to pause, to cancel. */
export default function QueuePanel() {
  const { queue, problem } = useLiveJobs();
  const { paused = false, running = [], waiting = [], counts } = queue ?? {};
  const number = (counts?.queued ?? 0) + (counts?.interrupted ?? 0);
  return (
    <Shell
      problem={problem}
      loading={queue === undefined}
      empty={running.length + waiting.length === 0}
      onRetry={() => void refresh()}
    >
      <button className="panel-action" aria-pressed={paused} onClick={() => void pause(!paused)}>
        {t(paused ? "resumeQueue" : "pauseQueue")}
      </button>
      {paused && <p className="quiet">{t("pausedQueue")}</p>}
      {running.length > 0 && <h3>{t("runningNow")}</h3>}
      <ul className="panel-list">
        {running.map((job) => (
          <Running key={job.id} job={job} />
        ))}
      </ul>
      {waiting.length > 0 && <h3>{t("waitingNow", { count: number })}</h3>}
      <ul className="panel-list">
        {waiting.map((job, index) => (
          <Waiting key={job.id} job={job} above={waiting[index - 1]} below={waiting[index + 1]} />
        ))}
      </ul>
    </Shell>
  );
}

function Running({ job }: { job: JobView }) {
  const name = useJobName(job);
  const elapsed = useElapsed(job.started === null ? undefined : job.started * 1000);
  return (
    <li>
      <span className="grow">{name}</span>
      <span className="quiet">{seconds(elapsed)}</span>
      <CancelButton job={job} />
    </li>
  );
}

function Waiting({
  job,
  above,
  below,
}: {
  job: JobView;
  above?: JobView | undefined;
  below?: JobView | undefined;
}) {
  const name = useJobName(job);
  return (
    <li
      draggable
      onDragStart={(event) => event.dataTransfer.setData("application/x-nodegraph-job", job.id)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const dropped = event.dataTransfer.getData("application/x-nodegraph-job");
        if (dropped && dropped !== job.id) void move(dropped, { before: job.id });
      }}
    >
      <span className="grow">{name}</span>
      <button
        disabled={!above}
        aria-label={t("moveUp", { job: name })}
        onClick={() => above && void move(job.id, { before: above.id })}
      >
        ↑
      </button>
      <button
        disabled={!below}
        aria-label={t("moveDown", { job: name })}
        onClick={() => below && void move(below.id, { before: job.id })}
      >
        ↓
      </button>
      <CancelButton job={job} />
    </li>
  );
}

function CancelButton({ job }: { job: JobView }) {
  const name = useJobName(job);
  return (
    <button
      aria-label={t("cancelJob", { job: name })}
      disabled={job.cancel_requested}
      onClick={() => void cancel(job.id)}
    >
      ×
    </button>
  );
}
