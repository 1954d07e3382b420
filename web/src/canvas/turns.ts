/** Takes turns with what is costly to mount, so that no frame has to wait for all of it. */
import { useEffect, useState } from "react";

/** Cards that are filled in a frame. */
const WHEN_STILL = 8;
const WHEN_MOVING = 3;
/** From when on the view is still, in milliseconds after its last move. */
const SETTLED = 80;
/** Nearer than this, cards are filled while they come into view: few do, and they can be read. */
const READABLE = 0.6;

/** While a graph is opened nothing is to be kept going: its cards are filled at once. */
const OPENING = 400;

const waiting = new Set<() => void>();
let frame: number | undefined;
let move = { at: -SETTLED, zoom: 1 };

/** Say that the view moves: what could not be read anyway waits until it is still. */
export function noteMove(zoom: number): void {
  move = { at: performance.now(), zoom };
}

let openedAt = -OPENING;

/** Say that another graph is shown from now on. */
export function noteOpened(): void {
  openedAt = performance.now();
}

const isOpening = (): boolean => performance.now() - openedAt < OPENING;

/** False until it is this component's turn, then true for as long as `wanted`. */
export function useTurn(wanted: boolean): boolean {
  const [granted, grant] = useState(() => wanted && isOpening());
  useEffect(() => {
    if (!wanted) return;
    const take = () => grant(true);
    waiting.add(take);
    frame ??= requestAnimationFrame(serve);
    return () => {
      waiting.delete(take);
      grant(false);
    };
  }, [wanted]);
  return wanted && granted;
}

/** Everybody's turn, now. */
export function takeAllTurns(): void {
  takeTurns(waiting.size);
}

function takeTurns(count: number): void {
  for (const take of [...waiting].slice(0, count)) {
    waiting.delete(take);
    take();
  }
}

function serve(): void {
  takeTurns(turns());
  frame = waiting.size > 0 ? requestAnimationFrame(serve) : undefined;
}

function turns(): number {
  if (performance.now() - move.at >= SETTLED) return WHEN_STILL;
  return move.zoom < READABLE ? 0 : WHEN_MOVING;
}
