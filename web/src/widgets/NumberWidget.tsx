import { useRef, type PointerEvent } from "react";
import { t } from "@/strings";
import { Note } from "./Note";
import { asNumber, clamp, limitsOf } from "./numbers";
import type { WidgetProps } from "./registry";
import { shown } from "./typedNumber";
import { useTypedNumber } from "./useTypedNumber";

const PIXELS_PER_STEP = 6;
const STILL = 3;

/** A number: drag sideways to change it, click to type, arrow keys and buttons for one step. Shift is ten. */
export function NumberWidget({ controlId, input, value, onChange }: WidgetProps) {
  const limits = limitsOf(input.schema);
  const number = asNumber(value);
  const field = useRef<HTMLInputElement>(null);
  const set = (next: number) => onChange(clamp(next, limits));
  const drag = useDrag(number, limits.step, set, () => {
    field.current?.focus();
    field.current?.select();
  });
  const step = (steps: number) => set(number + steps * limits.step);
  const { draft, setDraft, note, finish, onKey } = useTypedNumber(limits, set, step);
  return (
    <>
      <div className="number" {...drag}>
        <button
          tabIndex={-1}
          aria-label={t("less", { input: input.name })}
          onClick={() => set(number - limits.step)}
        >
          ‹
        </button>
        <input
          ref={field}
          id={controlId}
          role="spinbutton"
          inputMode="decimal"
          autoComplete="off"
          title={shown(number)}
          value={draft ?? shown(number)}
          aria-valuenow={number}
          aria-valuemin={finite(limits.minimum)}
          aria-valuemax={finite(limits.maximum)}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={finish}
          onKeyDown={onKey}
        />
        <button
          tabIndex={-1}
          aria-label={t("more", { input: input.name })}
          onClick={() => set(number + limits.step)}
        >
          ›
        </button>
      </div>
      <Note text={note} />
    </>
  );
}

function finite(limit: number): number | undefined {
  return Number.isFinite(limit) ? limit : undefined;
}

/** Dragging sideways over the field changes it; a press without movement is a click. */
function useDrag(number: number, step: number, set: (next: number) => void, onClick: () => void) {
  const start = useRef<{ x: number; number: number; moved: boolean }>(undefined);
  return {
    onPointerDown(event: PointerEvent<HTMLElement>) {
      const target = event.target as HTMLElement;
      if (event.button !== 0 || target.tagName === "BUTTON" || target === document.activeElement) return;
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      start.current = { x: event.clientX, number, moved: false };
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      const from = start.current;
      if (from === undefined) return;
      const pixels = event.clientX - from.x;
      if (Math.abs(pixels) > STILL) from.moved = true;
      if (from.moved)
        set(from.number + Math.round(pixels / PIXELS_PER_STEP) * step * (event.shiftKey ? 10 : 1));
    },
    onPointerUp() {
      if (start.current && !start.current.moved) onClick();
      start.current = undefined;
    },
    onPointerCancel() {
      start.current = undefined;
    },
  };
}
