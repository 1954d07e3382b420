import { useEffect, useState } from "react";
import { getJob, type JobView } from "@/api/client";
import { openJob } from "@/files/opening";
import { onServerEvent } from "@/state/connection";
import { tell } from "@/state/announcer";
import { valuesOf, type QueuedCell } from "@/state/sweeps";
import { wordsOf } from "@/state/words";
import { t } from "@/strings";
import { picturesOfJob } from "./outputs";
import { PictureGrid } from "./PictureGrid";
import { saveGrid } from "./sweepPicture";

/** What came of each cell, as soon as it has ended. */
export function SweepGrid({ cells }: { cells: readonly QueuedCell[] }) {
  const ended = useEnded(cells);
  const columns = Math.max(...cells.map(({ place }) => place[0] ?? 0)) + 1;
  const tiles = cells.map(({ job, overrides, place }) => {
    const found = ended.get(job);
    const url = found && picturesOfJob(found)[0]?.file.url;
    return { label: valuesOf(overrides), place, ...(url !== undefined && { url }) };
  });
  return (
    <>
      <button disabled={tiles.every(({ url }) => url === undefined)} onClick={() => void saveGrid(tiles)}>
        {t("sweepSave")}
      </button>
      <div className="sweep-scroll">
        <ol className="sweep-grid" style={{ gridTemplateColumns: `repeat(${columns}, minmax(96px, 1fr))` }}>
          {cells.map((cell) => (
            <CellResult key={cell.job} cell={cell} job={ended.get(cell.job)} />
          ))}
        </ol>
      </div>
    </>
  );
}

function CellResult({ cell, job }: { cell: QueuedCell; job: JobView | undefined }) {
  const label = valuesOf(cell.overrides);
  return (
    <li>
      <button
        className="quiet-button"
        title={t("openJob")}
        aria-label={t("sweepOpen", { values: label })}
        onClick={() => void openJob(cell.job)}
      >
        {label}
      </button>
      {job ? <PictureGrid pictures={picturesOfJob(job)} /> : <span className="quiet">…</span>}
      {job && job.state !== "done" && <span className="panel-problem">{t(`state_${job.state}`)}</span>}
    </li>
  );
}

function useEnded(cells: readonly QueuedCell[]): ReadonlyMap<string, JobView> {
  const [ended, setEnded] = useState<ReadonlyMap<string, JobView>>(new Map());
  useEffect(() => {
    const look = async ({ job: id }: Pick<QueuedCell, "job">) => {
      try {
        const job = await getJob(id);
        if (job.result) setEnded((before) => new Map([...before, [id, job]]));
      } catch (error) {
        tell(wordsOf(error));
      }
    };
    const lookAtAll = () => void Promise.all(cells.map(look));
    lookAtAll(); // some may have ended before anyone listened
    return onServerEvent(({ type, job }) => {
      if (type === "gap") lookAtAll();
      else if (type === "job_finished" && cells.some((cell) => cell.job === job))
        void look({ job: job ?? "" });
    });
  }, [cells]);
  return ended;
}
