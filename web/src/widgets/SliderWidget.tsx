import { asNumber, clamp, limitsOf } from "./numbers";
import { NumberWidget } from "./NumberWidget";
import type { WidgetProps } from "./registry";

/** A number between two limits: a track and the number itself. */
export function SliderWidget(props: WidgetProps) {
  const { input, value, onChange } = props;
  const limits = limitsOf(input.schema);
  return (
    <div className="slider">
      <input
        type="range"
        aria-label={input.name}
        min={limits.minimum}
        max={limits.maximum}
        step={limits.step}
        value={asNumber(value)}
        onChange={(event) => onChange(clamp(event.target.valueAsNumber, limits))}
      />
      <NumberWidget {...props} />
    </div>
  );
}
