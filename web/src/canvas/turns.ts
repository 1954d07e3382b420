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

function serve(): void {
  for (const take of [...waiting].slice(0, PER_FRAME)) {
    waiting.delete(take);
    take();
  }
  frame = waiting.size > 0 ? requestAnimationFrame(serve) : undefined;
}
