import { useEffect, useRef } from "react";
import Plot from "uplot";
import "uplot/dist/uPlot.min.css";
import { t } from "@/strings";
import { textOf, type Line } from "./outputs";

const [WIDTH, HEIGHT] = [280, 160];
const COLOURS = ["--accent", "--warning", "--success", "--danger"];

/** Numbers in a row as lines over their index; what they say is told in words too. */
export default function SeriesChart({ lines }: { lines: readonly Line[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = place.current;
    if (target === null) return;
    const plot = new Plot(optionsOf(lines, getComputedStyle(target)), dataOf(lines), target);
    return () => plot.destroy();
  }, [lines]);
  return (
    <figure className="chart">
      <div ref={place} role="img" aria-label={lines.map(wordsOf).join("; ")} />
      <figcaption className="quiet">{lines.map(wordsOf).join("; ")}</figcaption>
    </figure>
  );
}

function wordsOf({ name, values }: Line): string {
  const lowest = values.reduce((least, value) => Math.min(least, value), Infinity);
  const highest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const told = [
    t("minimum", { value: textOf(lowest) }),
    t("maximum", { value: textOf(highest) }),
    t("lastValue", { value: textOf(values.at(-1) ?? 0) }),
  ];
  return `${name}: ${told.join(", ")}`;
}

function dataOf(lines: readonly Line[]): Plot.AlignedData {
  const longest = lines.reduce((most, { values }) => Math.max(most, values.length), 0);
  const steps = Array.from({ length: longest }, (_, index) => index);
  return [steps, ...lines.map(({ values }) => steps.map((step) => values[step] ?? null))];
}

function optionsOf(lines: readonly Line[], style: CSSStyleDeclaration): Plot.Options {
  const colour = (name: string) => style.getPropertyValue(name);
  const axis = { stroke: colour("--text-quiet"), grid: { stroke: colour("--line") }, ticks: { show: false } };
  return {
    width: WIDTH,
    height: HEIGHT,
    legend: { show: lines.length > 1 },
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 48 }],
    series: [
      { label: t("step") },
      ...lines.map(({ name }, index) => ({
        label: name,
        width: 1.5,
        stroke: colour(COLOURS[index % COLOURS.length] ?? "--accent"),
      })),
    ],
  };
}
