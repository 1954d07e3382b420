import { useEffect, useState } from "react";
import { getJob, type JobView } from "@/api/client";
import { onServerEvent } from "@/state/connection";
import { tell } from "@/state/announcer";
import { picturesOfJob } from "./outputs";
import { PictureGrid } from "./PictureGrid";
import type { Queued } from "./SweepPanel";
import { wordsOf } from "@/state/words";
import { t } from "@/strings";

/** What came of each cell, as soon as it has ended. */
export function SweepGrid({ queued: { cells, jobs } }: { queued: Queued }) {
  const ended = useEnded(jobs);
  const columns = new Set(cells.map(({ place }) => place[0])).size;
  return (
    <div className="sweep-scroll">
      <ol className="sweep-grid" style={{ gridTemplateColumns: `repeat(${columns}, minmax(96px, 1fr))` }}>
        {cells.map(({ overrides }, index) => {
          const job = ended.get(jobs[index] ?? "");
          return (
            <li key={jobs[index]}>
              <span className="quiet">{Object.values(overrides).map(String).join(" · ")}</span>
              {job ? <PictureGrid pictures={picturesOfJob(job)} /> : <span className="quiet">…</span>}
              {job && job.state !== "done" && (
                <span className="panel-problem">{t(`state_${job.state}`)}</span>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function useEnded(jobs: readonly string[]): ReadonlyMap<string, JobView> {
  const [ended, setEnded] = useState<ReadonlyMap<string, JobView>>(new Map());
  useEffect(() => {
    const look = async (id: string) => {
      try {
        const job = await getJob(id);
        if (job.result) setEnded((before) => new Map([...before, [id, job]]));
      } catch (error) {
        tell(wordsOf(error));
      }
    };
    const lookAtAll = () => void Promise.all(jobs.map(look));
    lookAtAll(); // some may have ended before anyone listened
    return onServerEvent(({ type, job }) => {
      if (type === "gap") lookAtAll();
      else if (type === "job_finished" && job !== undefined && jobs.includes(job)) void look(job);
    });
  }, [jobs]);
  return ended;
}
