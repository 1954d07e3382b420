import { useState } from "react";
import { Modal } from "@/files/Modal";
import { openJob } from "@/files/opening";
import { t } from "@/strings";
import { CompareSlider } from "./CompareSlider";
import type { Picture } from "./outputs";
import { MadeWith } from "./MadeWith";
import { Others } from "./Others";
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
  const [other, setOther] = useState<Picture>();
  const [choosing, setChoosing] = useState(false);
  const picture = pictures[at];
  const compared = choosing && other?.file.url !== picture?.file.url ? other : undefined;
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
          <button aria-pressed={choosing} onClick={() => setChoosing(!choosing)}>
            {t("compare")}
          </button>
          {job !== undefined && <button onClick={open}>{t("openJob")}</button>}
          <a className="button" href={`${file.url}?download=true`} download={file.name}>
            {t("downloadFile")}
          </a>
          <button autoFocus aria-label={t("close")} onClick={onClose}>
            ×
          </button>
        </header>
        <MadeWith picture={picture} />
        {choosing && <Others pictures={pictures} picture={picture} chosen={other} onChoose={setOther} />}
        {compared ? (
          <CompareSlider
            before={compared.file.url}
            after={file.url}
            name={file.name}
            sides={[compared.file.name, file.name]}
          />
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
