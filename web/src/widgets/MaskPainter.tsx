import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { begin, commit, redo, redoName, undo, undoName } from "@/model/history";
import { nextBrush, type MaskHistory, type MaskStep, type Place, type Stroke } from "@/model/maskSteps";
import { t, type StringKey } from "@/strings";
import { MaskBoard, type Look } from "./MaskBoard";
import "./maskPainter.css";
import { MaskTools } from "./MaskTools";
import { readBitmap } from "./pixels";
import { inputUrl, upload } from "./uploads";

interface Props {
  /** The input picture that is masked. */
  name: string;
  /** Gets the name of the picture with its mask. */
  onKeep: (name: string) => void;
  onClose: () => void;
}

const STEP_NAMES: Record<MaskStep["kind"], StringKey> = {
  stroke: "maskStroke",
  clear: "maskClear",
  invert: "maskInvert",
};

/**
 * Paints the mask of a picture: what is painted becomes transparent, which is what nodes read as its mask.
 *
 * The picture is kept as a new input; the one it was made from stays.
 */
export default function MaskPainter({ name, onKeep, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const help = useId();
  const [history, setHistory] = useState<MaskHistory>(() => begin<readonly MaskStep[]>([]));
  const [size, setSize] = useState<number>();
  const [erase, setErase] = useState(false);
  const [look, setLook] = useState<Look>("stripes");
  const [said, say] = useState("");
  const [leaving, setLeaving] = useState(false);
  const { board, problem } = useBoard(name);
  useEffect(() => dialog.current?.showModal(), []);
  const most = board ? Math.ceil(Math.max(board.width, board.height) / 2) : 1;
  const brush = size ?? Math.max(1, Math.round(most / 6));

  const take = (step: MaskStep) => {
    const steps = [...history.present, step];
    if (step.kind === "stroke") board?.painted(steps);
    setHistory(commit(history, steps, { name: t(STEP_NAMES[step.kind]) }, Date.now()));
    say(step.kind === "stroke" ? "" : t(STEP_NAMES[step.kind]));
    setLeaving(false);
  };
  const go = (way: "undo" | "redo") => {
    const step = way === "undo" ? undoName(history) : redoName(history);
    setHistory((way === "undo" ? undo : redo)(history) ?? history);
    if (step !== undefined) say(t(way === "undo" ? "saidUndone" : "saidRedone", { step }));
  };
  const resize = (direction: 1 | -1) => setSize(nextBrush(brush, direction, most));
  const turn = (erasing: boolean) => {
    setErase(erasing);
    say(t(erasing ? "saidErasing" : "saidPainting"));
  };
  const keep = async () => {
    if (board === undefined) return;
    try {
      onKeep(await upload(board.asFile(), maskedName(name)));
      onClose();
    } catch (error) {
      say(t("saidUploadFailed", { why: error instanceof Error ? error.message : String(error) }));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    const act = keyed(event, {
      "[": () => resize(-1),
      "]": () => resize(1),
      e: () => turn(!erase),
      i: () => take({ kind: "invert" }),
      "ctrl+z": () => go("undo"),
      "ctrl+shift+z": () => go("redo"),
      "ctrl+y": () => go("redo"),
    });
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <dialog
      ref={dialog}
      className="mask-painter nodrag nowheel"
      aria-label={t("paintMask")}
      aria-describedby={help}
      onClose={onClose}
      onCancel={(event) => {
        if (leaving || history.past.length === 0) return;
        event.preventDefault();
        setLeaving(true);
        say(t("maskNotKept"));
      }}
      onKeyDown={onKey}
    >
      <Board {...{ name, board, look, brush, erase, history }} onStroke={take} />
      <MaskTools
        {...{ brush, most, erase, look, history }}
        ready={board !== undefined}
        onBrush={setSize}
        onErase={turn}
        onLook={setLook}
        onStep={take}
        onUndo={() => go("undo")}
        onRedo={() => go("redo")}
        onCancel={onClose}
        onKeep={() => void keep()}
      />
      <p id={help} className="quiet">
        {t("painterHelp")}
      </p>
      <p role="status" className={problem ? "problem" : ""}>
        {problem ?? said}
      </p>
    </dialog>
  );
}

interface BoardProps {
  name: string;
  board: MaskBoard | undefined;
  look: Look;
  brush: number;
  erase: boolean;
  history: MaskHistory;
  onStroke: (stroke: Stroke) => void;
}

/** The picture under its mask, and the brush where the pointer is. */
function Board({ name, board, look, brush, erase, history, onStroke }: BoardProps) {
  const picture = useRef<HTMLCanvasElement>(null);
  const view = useRef<HTMLCanvasElement>(null);
  const places = useRef<Place[]>([]);
  const [at, setAt] = useState<Place>();
  useEffect(() => {
    if (picture.current) board?.showPicture(picture.current);
  }, [board]);
  useEffect(() => {
    board?.bring(history.present);
    if (view.current) board?.show(view.current, look);
  }, [board, history.present, look]);
  const placeOf = (event: PointerEvent<HTMLCanvasElement>): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = (board?.width ?? 1) / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  const paint = (event: PointerEvent<HTMLCanvasElement>) => {
    const place = placeOf(event);
    setAt(place);
    const last = places.current.at(-1);
    if (last === undefined || board === undefined) return;
    board.paint(last, place, { kind: "stroke", width: brush, erase });
    board.show(event.currentTarget, look);
    places.current.push(place);
  };
  const finish = () => {
    const drawn = places.current;
    places.current = [];
    if (drawn.length > 0) onStroke({ kind: "stroke", width: brush, erase, places: drawn });
  };
  const [width, height] = [board?.width ?? 1, board?.height ?? 1];
  const share = (value: number, whole: number) => `${(100 * value) / whole}%`;
  return (
    <div className="mask-board" style={{ "--aspect": width / height } as React.CSSProperties}>
      <canvas ref={picture} aria-hidden />
      <canvas
        ref={view}
        role="img"
        aria-label={t("maskOf", { name })}
        className={`mask-view ${look === "stripes" ? "striped" : ""}`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          places.current = [placeOf(event)];
          paint(event);
        }}
        onPointerMove={paint}
        onPointerUp={finish}
        onPointerCancel={finish}
        onPointerLeave={() => setAt(undefined)}
      />
      {at && board && (
        <span
          className={erase ? "brush erasing" : "brush"}
          style={{ left: share(at[0], width), top: share(at[1], height), width: share(brush, width) }}
        />
      )}
    </div>
  );
}

/** What a key does here; letters are left to fields that take them. */
function keyed(event: KeyboardEvent, actions: Readonly<Record<string, () => void>>) {
  const { key, ctrlKey, metaKey, shiftKey, altKey, target } = event;
  if (actions[key] && "[]".includes(key)) return actions[key];
  if (altKey || (!ctrlKey && !metaKey && target instanceof HTMLSelectElement)) return undefined;
  const held = [(ctrlKey || metaKey) && "ctrl", shiftKey && "shift", key.toLowerCase()];
  return actions[held.filter(Boolean).join("+")];
}

/** The board of a picture, once that is read. */
function useBoard(name: string): { board?: MaskBoard; problem?: string } {
  const [made, setMade] = useState<{ board?: MaskBoard; problem?: string }>({});
  useEffect(() => {
    let gone = false;
    readBitmap(inputUrl(name))
      .then((bitmap) => ({ board: new MaskBoard(bitmap) }))
      .catch((error: unknown) => ({ problem: t("maskUnreadable", { name, why: String(error) }) }))
      .then((found) => gone || setMade(found));
    return () => void (gone = true);
  }, [name]);
  return made;
}

/** `photo.jpg` gives `masked-photo.png`, and so does `masked-photo.png`. */
function maskedName(name: string): string {
  const stem = (name.split("/").at(-1) ?? name).replace(/\.\w+$/, "").replace(/^masked-/, "");
  return `masked-${stem}.png`;
}
