import type { WidgetProps } from "./registry";

/** One line of text. */
export function TextWidget({ controlId, value, onChange }: WidgetProps) {
  const text = typeof value === "string" ? value : "";
  return (
    <input
      id={controlId}
      type="text"
      autoComplete="off"
      spellCheck={false}
      title={text}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
