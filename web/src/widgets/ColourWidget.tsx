import type { Json } from "@/model/document";
import type { WidgetProps } from "./registry";

const HEX = /^#[0-9a-f]{6}$/i;

/** A colour: picked, or typed as `#rrggbb`. A number 0xRRGGBB is shown the same way. */
export function ColourWidget({ controlId, input, value, onChange }: WidgetProps) {
  const colour = asHex(value);
  return (
    <div className="colour">
      <input
        type="color"
        aria-label={input.name}
        value={HEX.test(colour) ? colour : "#000000"}
        onChange={(event) => onChange(event.target.value)}
      />
      <input
        id={controlId}
        type="text"
        spellCheck={false}
        value={colour}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

function asHex(value: Json): string {
  return typeof value === "number" ? `#${value.toString(16).padStart(6, "0")}` : String(value);
}
