import { useLayoutEffect, useRef, type KeyboardEvent } from "react";
import { changeWeight } from "@/model/promptWeights";
import type { WidgetProps } from "./registry";

const STEP = 0.05;

/** Several lines of text. Ctrl+Up and Ctrl+Down change the weight of the selected words. */
export function PromptWidget({ controlId, value, onChange }: WidgetProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const selection = useRef<[number, number]>(undefined);
  const text = typeof value === "string" ? value : "";
  useLayoutEffect(() => {
    if (selection.current) field.current?.setSelectionRange(...selection.current);
    selection.current = undefined;
  }, [text]);
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction === undefined || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { selectionStart, selectionEnd } = event.currentTarget;
    const changed = changeWeight(text, selectionStart, selectionEnd, direction * STEP);
    selection.current = [changed.start, changed.end];
    onChange(changed.text);
  };
  return (
    <textarea
      ref={field}
      id={controlId}
      className="nowheel"
      value={text}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={onKey}
    />
  );
}
