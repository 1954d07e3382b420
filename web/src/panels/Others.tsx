import { listJobs } from "@/api/client";
import { t } from "@/strings";
import { picturesOfJob, type Picture } from "./outputs";
import { useLoaded } from "./useLoaded";

const MOST_JOBS = 30;

const history = async () =>
  (await listJobs({ state: ["done"], limit: MOST_JOBS })).jobs.flatMap(picturesOfJob);

/** The pictures that one may be compared with: those it is shown among, and those of the last runs. */
export function Others({
  pictures,
  picture,
  chosen,
  onChoose,
}: {
  pictures: readonly Picture[];
  picture: Picture;
  chosen: Picture | undefined;
  onChoose: (picture: Picture) => void;
}) {
  const { value: before = [] } = useLoaded(history);
  const byAddress = new Map([...pictures, ...before].map((one) => [one.file.url, one]));
  byAddress.delete(picture.file.url);
  return (
    <div className="others" role="group" aria-label={t("compareWith")}>
      {byAddress.size === 0 && <span className="quiet">{t("nothingElse")}</span>}
      {[...byAddress.values()].map((one) => (
        <button
          key={one.file.url}
          aria-label={t("compareTo", { name: one.file.name })}
          title={one.file.name}
          aria-pressed={one.file.url === chosen?.file.url}
          onClick={() => onChoose(one)}
        >
          <img src={one.file.url} alt="" loading="lazy" />
        </button>
      ))}
    </div>
  );
}
