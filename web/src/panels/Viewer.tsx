import { useState } from "react";
import { Modal } from "@/files/Modal";
import { openJob } from "@/files/opening";
import { t } from "@/strings";
import { CompareSlider } from "./CompareSlider";
import type { Picture } from "./outputs";
import { ZoomStage } from "./ZoomStage";

/** One picture large: zoom, the others, two beside each other, and where it comes from. */
export function Viewer({
  pictures,
  first,
  onClose,
}: {
  pictures: readonly Picture[];
  first: number;
  onClose: () => void;
}) {
  const [at, setAt] = useState(first);
  const [other, setOther] = useState<number>();
  const picture = pictures[at];
  const compared = other === undefined ? undefined : pictures[other];
  if (picture === undefined) return null;
  const go = (step: number) => setAt((at + step + pictures.length) % pictures.length);
  const { file, node, job } = picture;
  const open = () => {
    onClose();
    if (job !== undefined) void openJob(job);
  };
  return (
    <Modal title={t("view", { name: file.name })} wide onClose={onClose}>
      <div
        className="viewer"
        onKeyDown={(event) =>
          event.key.startsWith("Arrow") && !isSlider(event.target) && go(event.key === "ArrowLeft" ? -1 : 1)
        }
      >
        <header className="row">
          <strong className="grow">{file.name}</strong>
          <span className="quiet">
            {t("metadata")} {node}
          </span>
          {pictures.length > 1 && (
            <label className="row">
              {t("compareWith")}
              <select
                value={other ?? ""}
                onChange={(event) =>
                  setOther(event.target.value === "" ? undefined : Number(event.target.value))
                }
              >
                <option value="">–</option>
                {pictures.map(
                  (one, index) =>
                    index !== at && (
                      <option key={index} value={index}>{`${index + 1} ${one.file.name}`}</option>
                    ),
                )}
              </select>
            </label>
          )}
          {job !== undefined && <button onClick={open}>{t("openJob")}</button>}
          <a className="button" href={`${file.url}?download=true`} download={file.name}>
            {t("downloadFile")}
          </a>
          <button autoFocus aria-label={t("close")} onClick={onClose}>
            ×
          </button>
        </header>
        {compared ? (
          <CompareSlider before={compared.file.url} after={file.url} name={file.name} />
        ) : (
          <ZoomStage key={file.url} address={file.url} name={file.name} />
        )}
        {pictures.length > 1 && (
          <footer className="row">
            <button aria-label={t("previous")} onClick={() => go(-1)}>
              ‹
            </button>
            <span>
              {at + 1} / {pictures.length}
            </span>
            <button aria-label={t("next")} onClick={() => go(1)}>
              ›
            </button>
          </footer>
        )}
      </div>
    </Modal>
  );
}

function isSlider(target: EventTarget): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
