import type { WidgetProps } from "./registry";

export function SwitchWidget({ controlId, value, onChange }: WidgetProps) {
  return (
    <input
      id={controlId}
      type="checkbox"
      role="switch"
      className="switch"
      checked={value === true}
      onChange={(event) => onChange(event.target.checked)}
    />
  );
}
