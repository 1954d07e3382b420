import { useState } from "react";
import { t } from "@/strings";

/** Two pictures over each other: left of the line the one, right of it the other. */
export function CompareSlider({
  before,
  after,
  name,
  sides,
}: {
  before: string;
  after: string;
  name: string;
  /** What the left and the right are. */
  sides: readonly [left: string, right: string];
}) {
  const [share, setShare] = useState(50);
  return (
    <div className="compare">
      <div className="compare-stage">
        <img src={after} alt={name} draggable={false} />
        <img src={before} alt="" draggable={false} style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }} />
        <span className="compare-side">{sides[0]}</span>
        <span className="compare-side right">{sides[1]}</span>
        <div className="compare-line" style={{ left: `${share}%` }} />
        <input
          type="range"
          min={0}
          max={100}
          step={0.5}
          value={share}
          aria-label={t("compareSlider")}
          onChange={(event) => setShare(event.target.valueAsNumber)}
        />
      </div>
    </div>
  );
}
