import { lazy, Suspense, useState } from "react";
import { createPortal } from "react-dom";
import { aspectOf, isFlat, itemsOf, looksOf, short, sizeOf, type Tensor } from "@/model/tensors";
import { pictureNear, useTensor } from "@/state/tensors";
import { t } from "@/strings";
import { useOverlay } from "./overlay";
import { HELP } from "./tensorHelp";
import "./tensors.css";

const TensorViewer = lazy(() => import("./TensorViewer"));

/** So few that they are told apart in a small picture. */
const STRIPES = 6;

/** A mask or latents in one line: what they look like, their size and range. It opens large. */
export function TensorRow({ node, output }: { node: string; output: string }) {
  const tensor = useTensor(node, output);
  const [open, setOpen] = useState(false);
  const first = tensor && (tensor.colours[0] ?? tensor.pictures[0]);
  const near = tensor?.kind === "mask" ? pictureNear(node) : undefined;
  const over = useOverlay(near, first, tensor ? aspectOf(tensor) : 1, STRIPES);
  if (tensor === undefined) return null;
  const name = `${node} · ${output}`;
  const caption = over !== undefined ? "stripedOver" : tensor.false_colours ? "falseColours" : undefined;
  if (isFlat(tensor)) return <p className="tensor">{words(tensor)}</p>;
  return (
    <>
      <button
        className="tensor nodrag"
        aria-label={t("view", { name })}
        title={t(over === undefined ? HELP[looksOf(tensor)] : "maskOverHelp")}
        onClick={() => setOpen(true)}
      >
        <img src={over ?? first} alt="" draggable={false} />
        <span>
          {words(tensor)}
          <span className="quiet">{range(tensor)}</span>
          {caption !== undefined && <span className="quiet">{t(caption)}</span>}
          {tensor.not_finite > 0 && (
            <span className="problem">{t("notFinite", { count: tensor.not_finite })}</span>
          )}
        </span>
      </button>
      {open &&
        createPortal(
          <Suspense fallback={null}>
            <TensorViewer name={name} node={node} tensor={tensor} onClose={() => setOpen(false)} />
          </Suspense>,
          document.body,
        )}
    </>
  );
}

function words(tensor: Tensor): string {
  const kind = t(`kind_${tensor.kind}`);
  const many = itemsOf(tensor) > 1 ? ` · ${itemsOf(tensor)}` : "";
  const flat = isFlat(tensor) ? `, ${t("allThe", { value: short(tensor.min) })}` : "";
  return `${kind} ${sizeOf(tensor)}${many}${flat}`;
}

function range({ min, max, mean }: Tensor): string {
  return `${short(min)} … ${short(max)}, ${t("mean")} ${short(mean)}`;
}
