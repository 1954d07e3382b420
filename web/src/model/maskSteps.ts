/** What is done to a mask while it is painted; the mask is what comes of all steps, one after the other. */

import type { History } from "./history";

/** A place on the picture, in its pixels. */
export type Place = readonly [x: number, y: number];

export interface Stroke {
  readonly kind: "stroke";
  /** In pixels of the picture. */
  readonly width: number;
  readonly erase: boolean;
  readonly places: readonly Place[];
}

export type MaskStep = Stroke | { readonly kind: "clear" } | { readonly kind: "invert" };

export type MaskHistory = History<readonly MaskStep[]>;

/** The steps that still count: what was before the mask was cleared is gone. */
export function sinceCleared(steps: readonly MaskStep[]): readonly MaskStep[] {
  return steps.slice(Math.max(0, steps.map(({ kind }) => kind).lastIndexOf("clear")));
}

/** The steps to do after those that are done; nothing where some of those are to be undone. */
export function stepsAfter(
  done: readonly MaskStep[],
  wanted: readonly MaskStep[],
): readonly MaskStep[] | undefined {
  return done.every((step, index) => wanted[index] === step) ? wanted.slice(done.length) : undefined;
}

const LARGER = 1.25;

/** The next size of a brush, larger or smaller; at least a pixel apart, and not above what the picture needs. */
export function nextBrush(size: number, direction: 1 | -1, most: number): number {
  const next = direction === 1 ? Math.max(size + 1, size * LARGER) : Math.min(size - 1, size / LARGER);
  return Math.round(Math.min(most, Math.max(1, next)));
}
