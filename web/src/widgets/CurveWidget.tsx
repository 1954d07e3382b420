import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import type { Json } from "@/model/document";
import { t } from "@/strings";
import { JsonWidget } from "./JsonWidget";
import type { WidgetProps } from "./registry";

type Knot = readonly [x: number, y: number];

const SIZE = 100;
const STEP = 0.02;
const STRAIGHT: readonly Knot[] = [
  [0, 0],
  [1, 1],
];

/** A curve through points from 0 to 1; what is no list of points is shown as it is. */
export default function CurveWidget(props: WidgetProps) {
  const knots = readKnots(props.value);
  return knots ? <Curve {...props} knots={knots} /> : <JsonWidget {...props} />;
}

/** Drag a point, double-click for a new one, Delete takes one away. */
function Curve({ input, knots, onChange }: WidgetProps & { knots: readonly Knot[] }) {
  const board = useRef<SVGSVGElement>(null);
  const held = useRef<number>(undefined);
  const placeOf = (event: { clientX: number; clientY: number }): Knot => {
    const box = board.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [unit((event.clientX - box.left) / box.width), unit(1 - (event.clientY - box.top) / box.height)];
  };
  const set = (index: number, knot: Knot) => onChange(moved(knots, index, knot));
  const onKey = (event: KeyboardEvent, index: number) => {
    const [x, y] = knots[index] ?? [0, 0];
    const moves: Record<string, Knot> = {
      ArrowLeft: [x - STEP, y],
      ArrowRight: [x + STEP, y],
      ArrowUp: [x, y + STEP],
      ArrowDown: [x, y - STEP],
    };
    const next = moves[event.key];
    if (next) set(index, next);
    else if (event.key === "Delete" && knots.length > 2) onChange(knots.filter((_, at) => at !== index));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const drag = (event: PointerEvent) => held.current !== undefined && set(held.current, placeOf(event));
  return (
    <svg
      ref={board}
      className="curve"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      preserveAspectRatio="none"
      role="group"
      aria-label={input.name}
      onPointerMove={drag}
      onPointerUp={() => (held.current = undefined)}
      onDoubleClick={(event) => onChange([...knots, placeOf(event)].sort(([a], [b]) => a - b))}
    >
      <path className="curve-grid" d="M25 0V100M50 0V100M75 0V100M0 25H100M0 50H100M0 75H100" />
      <polyline points={knots.map(([x, y]) => `${x * SIZE},${(1 - y) * SIZE}`).join(" ")} />
      {knots.map(([x, y], index) => (
        <path
          key={index}
          className="curve-point"
          d={`M${x * SIZE} ${(1 - y) * SIZE}h0`} // a dot of its line's width, round however the curve is stretched
          role="slider"
          tabIndex={0}
          aria-label={t("curvePoint", { number: index + 1 })}
          aria-valuenow={y}
          aria-valuetext={`${x.toFixed(2)}, ${y.toFixed(2)}`}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            held.current = index;
          }}
          onKeyDown={(event) => onKey(event, index)}
        />
      ))}
    </svg>
  );
}

function readKnots(value: Json): readonly Knot[] | undefined {
  if (value === null || value === "" || (Array.isArray(value) && value.length < 2)) return STRAIGHT;
  if (!Array.isArray(value) || !value.every(isPoint)) return undefined;
  return value.map(([x, y]): Knot => [unit(x), unit(y)]);
}

function isPoint(value: Json): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "number");
}

function unit(value: number): number {
  return Math.round(Math.min(1, Math.max(0, Number.isFinite(value) ? value : 0)) * 1000) / 1000;
}

/** A point stays between its neighbours; the first and last stay at the ends. */
function moved(knots: readonly Knot[], index: number, [x, y]: Knot): Knot[] {
  const [left, right] = [knots[index - 1]?.[0] ?? 0, knots[index + 1]?.[0] ?? 1];
  const end = index === 0 ? 0 : index === knots.length - 1 ? 1 : undefined;
  const place: Knot = [end ?? Math.min(right, Math.max(left, x)), unit(y)];
  return knots.map((knot, at) => (at === index ? place : knot));
}
