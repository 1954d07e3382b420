import { useMemo, useState } from "react";
import { shownOf } from "@/panels/outputs";
import { ShownValue } from "@/panels/ShownValue";
import type { Outputs, OutputView } from "@/state/runs";
import { t } from "@/strings";

const LONGEST = 400;

/** The outputs of a node in place: pictures with a count, and plain values as text. */
export function OutputValues({ outputs, node }: { outputs: Outputs; node: string }) {
  const values = useMemo(() => Object.values(outputs).flat(), [outputs]);
  const pictures = values.filter(isPicture);
  const drawn = useMemo(
    () => Object.entries(outputs).flatMap(([name, given]) => shownOf(name, given.filter(drawsItself))),
    [outputs],
  );
  const texts = values.filter((value) => !value.file && !drawsItself(value) && isTellable(value.value));
  return (
    <>
      {pictures.length > 0 && <Pictures pictures={pictures} node={node} />}
      {drawn.map((shown, index) => (
        <div key={index} className="drawn nodrag nowheel">
          <ShownValue shown={shown} />
        </div>
      ))}
      {texts.map((value, index) => (
        <output key={index} className="value nodrag">
          {tell(value.value)}
        </output>
      ))}
    </>
  );
}

function isPicture(value: OutputView): boolean {
  return value.file?.media_type.startsWith("image/") ?? false;
}

/** Curves and tables. */
function drawsItself({ kind }: OutputView): boolean {
  return kind === "series" || kind === "table";
}

function isTellable(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value) || Array.isArray(value);
}

function tell(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function Pictures({ pictures, node }: { pictures: readonly OutputView[]; node: string }) {
  const [chosen, choose] = useState(0);
  const [gone, setGone] = useState<string>();
  const at = Math.min(chosen, pictures.length - 1);
  const file = pictures[at]?.file;
  if (!file) return null;
  return (
    <figure className="pictures">
      {gone === file.url ? (
        <p className="quiet">{t("gone", { name: file.name })}</p>
      ) : (
        <img
          className="preview"
          src={file.url}
          alt={t("resultOf", { node, name: file.name })}
          draggable={false}
          onError={() => setGone(file.url)}
        />
      )}
      {pictures.length > 1 && (
        <figcaption>
          <button
            className="nodrag"
            aria-label={t("previous")}
            onClick={() => choose((at + pictures.length - 1) % pictures.length)}
          >
            ‹
          </button>
          {at + 1} / {pictures.length}
          <button
            className="nodrag"
            aria-label={t("next")}
            onClick={() => choose((at + 1) % pictures.length)}
          >
            ›
          </button>
        </figcaption>
      )}
    </figure>
  );
}
