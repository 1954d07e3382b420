import { redoName, undoName } from "@/model/history";
import type { MaskHistory, MaskStep } from "@/model/maskSteps";
import { t } from "@/strings";
import { LOOKS, type Look } from "./MaskBoard";

interface Props {
  /** Sizes in pixels of the picture. */
  brush: number;
  most: number;
  erase: boolean;
  look: Look;
  history: MaskHistory;
  ready: boolean;
  onBrush: (size: number) => void;
  onErase: (erase: boolean) => void;
  onLook: (look: Look) => void;
  onStep: (step: MaskStep) => void;
  onUndo: () => void;
  onRedo: () => void;
  onCancel: () => void;
  onKeep: () => void;
}

/** The tools below the picture; each tells its key. */
export function MaskTools(props: Props) {
  const { brush, most, erase, history, ready } = props;
  const [undoes, redoes] = [undoName(history), redoName(history)];
  return (
    <div className="mask-tools" role="toolbar" aria-label={t("maskTools")}>
      <label title={t("brushHelp")}>
        {t("brushSize")}
        <input
          type="range"
          min={1}
          max={most}
          value={brush}
          aria-valuetext={t("pixels", { count: brush })}
          onChange={(event) => props.onBrush(event.target.valueAsNumber)}
        />
        <output>{t("pixels", { count: brush })}</output>
      </label>
      <button aria-pressed={erase} title={t("eraseHelp")} onClick={() => props.onErase(!erase)}>
        {t("erase")}
      </button>
      <button
        disabled={undoes === undefined}
        title={undoes && t("undoStep", { step: undoes })}
        onClick={props.onUndo}
      >
        {t("undo")}
      </button>
      <button
        disabled={redoes === undefined}
        title={redoes && t("redoStep", { step: redoes })}
        onClick={props.onRedo}
      >
        {t("redo")}
      </button>
      <button title={t("maskInvertHelp")} disabled={!ready} onClick={() => props.onStep({ kind: "invert" })}>
        {t("maskInvert")}
      </button>
      <button disabled={!ready} onClick={() => props.onStep({ kind: "clear" })}>
        {t("maskClear")}
      </button>
      <label>
        {t("maskLook")}
        <select value={props.look} onChange={(event) => props.onLook(event.target.value as Look)}>
          {(Object.keys(LOOKS) as Look[]).map((look) => (
            <option key={look} value={look} label={t(`look_${look}`)} />
          ))}
        </select>
      </label>
      <span className="spacer" />
      <button onClick={props.onCancel}>{t("dismiss")}</button>
      <button className="primary" disabled={!ready} onClick={props.onKeep}>
        {t("keepMask")}
      </button>
    </div>
  );
}
