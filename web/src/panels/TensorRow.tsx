import { lazy, Suspense, useState } from "react";
import { createPortal } from "react-dom";
import { aspectOf, isFlat, itemsOf, short, sizeOf, type Tensor } from "@/model/tensors";
import { pictureNear, useTensor } from "@/state/tensors";
import { t } from "@/strings";
import { useOverlay } from "./overlay";
import "./tensors.css";

const TensorViewer = lazy(() => import("./TensorViewer"));

/** A mask or latents in one line: what they look like, their size and range. It opens large. */
export function TensorRow({ node, output }: { node: string; output: string }) {
  const tensor = useTensor(node, output);
  const [open, setOpen] = useState(false);
  if (tensor === undefined) return null;
  const name = `${node} · ${output}`;
  if (isFlat(tensor)) return <p className="tensor">{words(tensor)}</p>;
  return (
    <>
      <button className="tensor nodrag" aria-label={t("view", { name })} onClick={() => setOpen(true)}>
        <Thumbnail node={node} tensor={tensor} />
        <span>
          {words(tensor)}
          <span className="quiet">{range(tensor)}</span>
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

function Thumbnail({ node, tensor }: { node: string; tensor: Tensor }) {
  const first = tensor.colours[0] ?? tensor.pictures[0];
  const near = tensor.kind === "mask" ? pictureNear(node) : undefined;
  const over = useOverlay(near, first, aspectOf(tensor));
  return <img src={over ?? first} alt="" draggable={false} />;
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
