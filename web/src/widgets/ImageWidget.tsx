import { lazy, Suspense, useRef, useState, type ClipboardEvent, type DragEvent } from "react";
import { createPortal } from "react-dom";
import { useCatalogue } from "@/state/catalogue";
import { tell } from "@/state/announcer";
import { t } from "@/strings";
import { unusedMask } from "./maskUse";
import { Picker } from "./Picker";
import type { WidgetProps } from "./registry";
import { inputUrl, pictureIn, upload } from "./uploads";

const MaskPainter = lazy(() => import("./MaskPainter"));

/** An input picture: chosen, uploaded, dropped or pasted; shown in place. */
export function ImageWidget({ controlId, node, input, value, onChange }: WidgetProps) {
  const names = useCatalogue((state) => state.folders.inputs) ?? [];
  const [busy, setBusy] = useState(false);
  const [painting, setPainting] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const name = typeof value === "string" ? value : "";
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    setBusy(true);
    try {
      onChange(await upload(file, file.name || "pasted.png"));
    } catch (error) {
      tell(t("saidUploadFailed", { why: error instanceof Error ? error.message : String(error) }));
    } finally {
      setBusy(false);
    }
  };
  const keepMasked = (masked: string) => {
    onChange(masked);
    const unused = unusedMask(node);
    if (unused) tell(t("saidMaskUnused", unused));
  };
  const drop = (event: DragEvent) => {
    const file = pictureIn(event.dataTransfer);
    if (file === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    void take(file);
  };
  const paste = (event: ClipboardEvent) => {
    const file = pictureIn(event.clipboardData);
    if (file === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    void take(file);
  };
  return (
    <div
      className="image-widget"
      onDrop={drop}
      onDragOver={(event) => event.preventDefault()}
      onPaste={paste}
      aria-busy={busy}
    >
      <div className="image-choice">
        <Picker
          controlId={controlId}
          label={input.name}
          text={name === "" ? t("choosePicture") : name}
          chosen={name}
          choices={names.map((key) => ({ key, label: key, picture: inputUrl(key) }))}
          onPick={onChange}
        />
        {name !== "" && (
          <button title={t("paintMask")} aria-label={t("paintMask")} onClick={() => setPainting(true)}>
            ✎
          </button>
        )}
        <button title={t("upload")} aria-label={t("upload")} onClick={() => chooser.current?.click()}>
          ↑
        </button>
        <input
          ref={chooser}
          type="file"
          accept="image/*"
          hidden
          onChange={(event) => void take(event.target.files?.[0])}
        />
      </div>
      {name === "" ? (
        <p className="quiet drop-here">{t("dropPicture")}</p>
      ) : (
        <img src={inputUrl(name)} alt={name} draggable={false} />
      )}
      {painting &&
        createPortal(
          <Suspense fallback={null}>
            <MaskPainter name={name} onKeep={keepMasked} onClose={() => setPainting(false)} />
          </Suspense>,
          document.body,
        )}
    </div>
  );
}
