import { useState, type KeyboardEvent } from "react";
import { useNote } from "./Note";
import { parseNumber, type Limits } from "./numbers";
import { whatBecame } from "./typedNumber";

/** A number that is typed: a draft until Enter or until the field is left; arrow keys are one step. */
export function useTypedNumber(limits: Limits, set: (number: number) => void, step: (steps: number) => void) {
  const [draft, setDraft] = useState<string>();
  const [note, tell] = useNote();
  const finish = () => {
    if (draft === undefined) return;
    const typed = parseNumber(draft);
    if (typed !== undefined) set(typed);
    tell(whatBecame(draft, typed, limits));
    setDraft(undefined);
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") setDraft(undefined);
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    step(direction * (event.shiftKey ? 10 : 1));
  };
  return { draft, setDraft, note, finish, onKey };
}
