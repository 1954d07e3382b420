/** Going from node to node without a pointer. */
import { nodesOf, type Graph, type Point } from "@/model/document";

export type Direction = "left" | "right" | "up" | "down";

const BAND = 160;

/** Ids from left to right, and within a column from top to bottom. */
export function readingOrder(graph: Graph): string[] {
  const place = (id: string): Point => nodesOf(graph)[id]?.ui?.position ?? [0, 0];
  return Object.keys(nodesOf(graph)).sort((one, other) => {
    const [a, b] = [place(one), place(other)];
    const columns = Math.floor(a[0] / BAND) - Math.floor(b[0] / BAND);
    return columns !== 0 ? columns : a[1] - b[1];
  });
}

/** The nearest node on one side; what lies straight ahead counts as nearer. */
export function nearestIn(graph: Graph, from: string, direction: Direction): string | undefined {
  const nodes = nodesOf(graph);
  const [x, y] = nodes[from]?.ui?.position ?? [0, 0];
  let best: string | undefined;
  let least = Infinity;
  for (const [id, entry] of Object.entries(nodes)) {
    if (id === from) continue;
    const [ox, oy] = entry.ui?.position ?? [0, 0];
    const [ahead, aside] = along(direction, ox - x, oy - y);
    const cost = ahead + 2 * Math.abs(aside);
    if (ahead > 0 && cost < least) [best, least] = [id, cost];
  }
  return best;
}

function along(direction: Direction, dx: number, dy: number): [ahead: number, aside: number] {
  if (direction === "left") return [-dx, dy];
  if (direction === "right") return [dx, dy];
  return direction === "up" ? [-dy, dx] : [dy, dx];
}
