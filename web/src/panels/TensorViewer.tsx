import { useState } from "react";
import { Modal } from "@/files/Modal";
import { aspectOf, itemsOf, looksOf, short, sizeOf, type Tensor } from "@/model/tensors";
import { pictureNear } from "@/state/tensors";
import { t } from "@/strings";
import { useOverlay } from "./overlay";
import "./panels.css";
import { HELP } from "./tensorHelp";
import { ZoomStage } from "./ZoomStage";

interface Props {
  name: string;
  node: string;
  tensor: Tensor;
  onClose: () => void;
}

const STRIPES = 40;

/** A mask or latents large: one item after the other, a mask over its picture, and their numbers. */
export default function TensorViewer({ name, node, tensor, onClose }: Props) {
  const [at, setAt] = useState(0);
  const [laid, setLaid] = useState(true);
  const [coloured, setColoured] = useState(true);
  const { kind, colours } = tensor;
  const inColours = kind === "latent" && colours.length > 0;
  const pictures = inColours && coloured ? colours : tensor.pictures;
  const own = pictures[at % pictures.length] ?? "";
  const near = kind === "mask" ? pictureNear(node) : undefined;
  const over = useOverlay(near, own, aspectOf(tensor), STRIPES);
  const overlaid = laid && over !== undefined;
  const go = (step: number) => setAt((at + step + pictures.length) % pictures.length);
  return (
    <Modal title={t("view", { name })} wide onClose={onClose}>
      <div
        className="viewer"
        onKeyDown={(event) => event.key.startsWith("Arrow") && go(event.key === "ArrowLeft" ? -1 : 1)}
      >
        <header className="row">
          <strong className="grow">{name}</strong>
          {over !== undefined && (
            <label className="row">
              <input type="checkbox" checked={laid} onChange={(event) => setLaid(event.target.checked)} />
              {t("overPicture")}
            </label>
          )}
          {inColours && (
            <label className="row">
              <input
                type="checkbox"
                checked={coloured}
                onChange={(event) => setColoured(event.target.checked)}
              />
              {t("inColours")}
            </label>
          )}
          <button autoFocus aria-label={t("close")} onClick={onClose}>
            ×
          </button>
        </header>
        <ZoomStage key={`${at} ${coloured}`} address={overlaid ? over : own} name={name} pixels />
        <footer className="tensor-facts">
          {pictures.length > 1 && (
            <div className="row">
              <button aria-label={t("previous")} onClick={() => go(-1)}>
                ‹
              </button>
              <span>
                {at + 1} / {itemsOf(tensor)}
              </span>
              <button aria-label={t("next")} onClick={() => go(1)}>
                ›
              </button>
            </div>
          )}
          <Facts tensor={tensor} />
          <p className="quiet">{t(overlaid ? "maskOverHelp" : HELP[looksOf(tensor, coloured)])}</p>
        </footer>
      </div>
    </Modal>
  );
}

function Facts({ tensor }: { tensor: Tensor }) {
  const { shape, dtype, min, mean, max, std, not_finite, kind } = tensor;
  const facts: readonly (readonly [string, string])[] = [
    [t(`kind_${kind}`), sizeOf(tensor)],
    [t("shape"), `[${shape.join(", ")}] ${dtype}`],
    [t("least"), short(min)],
    [t("mean"), short(mean)],
    [t("most"), short(max)],
    [t("deviation"), short(std)],
    ...(not_finite > 0 ? [[t("noNumbers"), String(not_finite)] as const] : []),
  ];
  return (
    <dl>
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
