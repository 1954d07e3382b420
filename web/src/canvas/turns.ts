/** Takes turns with what is costly to mount, so that no frame has to wait for all of it. */
import { useEffect, useState } from "react";

const PER_FRAME = 3;
const waiting = new Set<() => void>();
let frame: number | undefined;

/** False until it is this component's turn, then true for as long as `wanted`. */
export function useTurn(wanted: boolean): boolean {
  const [granted, grant] = useState(false);
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
  takeTurns(PER_FRAME);
  frame = waiting.size > 0 ? requestAnimationFrame(serve) : undefined;
}
