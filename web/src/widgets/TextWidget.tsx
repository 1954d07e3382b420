import type { WidgetProps } from "./registry";

/** One line of text. */
export function TextWidget({ controlId, value, onChange }: WidgetProps) {
  return (
    <input
      id={controlId}
      type="text"
      autoComplete="off"
      spellCheck={false}
      value={typeof value === "string" ? value : ""}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
