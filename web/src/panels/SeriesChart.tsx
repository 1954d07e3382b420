import { useEffect, useRef } from "react";
import Plot from "uplot";
import "uplot/dist/uPlot.min.css";
import { t } from "@/strings";
import { textOf, type Chart, type Line } from "./outputs";

const HEIGHT = 176;
const COLOURS = ["--accent", "--warning", "--success", "--danger"];
/** Channels of a picture have their own colours. */
const CHANNELS: Readonly<Record<string, string>> = { red: "--danger", green: "--success", blue: "--accent" };

/** Curves and histograms; what they say is told in words too. */
export default function SeriesChart({ chart }: { chart: Chart }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = place.current;
    if (target === null) return;
    const plot = new Plot(optionsOf(chart, target), dataOf(chart.lines), target);
    return () => plot.destroy();
  }, [chart]);
  const words = chart.lines.map(wordsOf);
  return (
    <figure className="chart">
      <div ref={place} role="img" aria-label={words.join("; ")} />
      <figcaption className="quiet">
        {words.map((line) => (
          <div key={line}>{line}</div>
        ))}
      </figcaption>
    </figure>
  );
}

function wordsOf({ name, y }: Line): string {
  const known = y.filter((value) => value !== null);
  if (known.length === 0) return name;
  const lowest = known.reduce((least, value) => Math.min(least, value));
  const highest = known.reduce((most, value) => Math.max(most, value));
  const told = [
    t("minimum", { value: textOf(lowest) }),
    t("maximum", { value: textOf(highest) }),
    t("lastValue", { value: textOf(known.at(-1)) }),
  ];
  return `${name}: ${told.join(", ")}`;
}

/** All lines over one axis; where a line has no value there is a gap. */
function dataOf(lines: readonly Line[]): Plot.AlignedData {
  const tables = lines.map(({ x, y }): Plot.AlignedData => [[...x], [...y]]);
  return Plot.join(tables);
}

function optionsOf({ lines, xLabel, yLabel }: Chart, target: HTMLElement): Plot.Options {
  const style = getComputedStyle(target);
  const colour = (name: string) => style.getPropertyValue(name);
  const font = `12px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--text-quiet"),
    grid: { stroke: colour("--line") },
    ticks: { show: false },
    font,
    labelFont: font,
  };
  const bars = Plot.paths.bars?.({ size: [1, Infinity] });
  return {
    width: target.clientWidth,
    height: HEIGHT,
    legend: { show: lines.length > 1, live: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28, ...(xLabel && { label: xLabel, labelSize: 20 }) },
      { ...axis, size: 52, ...(yLabel && { label: yLabel, labelSize: 20 }) },
    ],
    series: [
      {},
      ...lines.map((line, index) => {
        const stroke = colour(CHANNELS[line.name] ?? COLOURS[index % COLOURS.length] ?? "--accent");
        const filled = line.bars && bars ? { paths: bars, fill: `${stroke}55` } : {};
        return { label: line.name, width: 1.5, stroke, points: { show: false }, spanGaps: false, ...filled };
      }),
    ],
  };
}
