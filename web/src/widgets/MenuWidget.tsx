import { valueSchema } from "./kinds";
import { Picker } from "./Picker";
import type { WidgetProps } from "./registry";

/** One of a few values; typing searches them. */
export function MenuWidget({ controlId, input, value, onChange }: WidgetProps) {
  const options = valueSchema(input.schema).enum ?? [];
  return (
    <Picker
      controlId={controlId}
      label={input.name}
      text={String(value)}
      chosen={String(value)}
      choices={options.map((option) => ({ key: String(option), label: String(option) }))}
      onPick={(key) => onChange(options.find((option) => String(option) === key) ?? key)}
    />
  );
}
