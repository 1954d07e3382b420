/** Cards and wires as they are seen from afar, on a canvas. */
import { nodeTypeNow } from "@/state/shownTypes";
import { currentGraph } from "@/state/documents";
import { nodeOf } from "@/model/document";
import { categoryColour, Colours, ownColour, typeColour } from "./colours";
import type { FarMark } from "./farMarks";
import type { FlowEdge, FlowNode } from "./flow";

export interface Scene {
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
  readonly transform: readonly [x: number, y: number, zoom: number];
  readonly markOf: (id: string) => FarMark;
}

const STRIPE = 12;
const WIRE = 3;
const CORNER = 48;

/** Draw what of the scene is in the window. */
export function paint(canvas: HTMLCanvasElement, scene: Scene): void {
  const { nodes, edges, transform, markOf } = scene;
  const [x, y, zoom] = transform;
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  const colours = new Colours(getComputedStyle(canvas));
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(zoom, 0, 0, zoom, x, y);
  const view = {
    left: -x / zoom,
    top: -y / zoom,
    right: (canvas.width - x) / zoom,
    bottom: (canvas.height - y) / zoom,
  };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const edge of edges) paintWire(pen, edge, byId, colours);
  for (const node of nodes)
    if (isIn(node, view)) {
      paintNode(pen, node, colours);
      if (node.type === "card") paintMark(pen, node, markOf(node.id), colours);
    }
}

interface View {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function isIn({ position: { x, y }, measured }: FlowNode, view: View): boolean {
  return (
    x < view.right &&
    y < view.bottom &&
    x + (measured?.width ?? 0) > view.left &&
    y + (measured?.height ?? 0) > view.top
  );
}

function paintNode(pen: CanvasRenderingContext2D, node: FlowNode, colours: Colours): void {
  const { x, y } = node.position;
  const { width = 0, height = 0 } = node.measured ?? {};
  pen.fillStyle = colours.of(node.type === "card" ? "var(--card)" : "var(--grey-3)");
  pen.fillRect(x, y, width, height);
  if (node.type === "card") {
    pen.fillStyle = colours.of(stripeOf(node.id));
    pen.fillRect(x, y, width, STRIPE);
  }
  if (node.selected) paintOutline(pen, node, colours.of("var(--accent)"));
}

function paintOutline(pen: CanvasRenderingContext2D, node: FlowNode, colour: string, inset = 0): void {
  const { x, y } = node.position;
  const { width = 0, height = 0 } = node.measured ?? {};
  pen.strokeStyle = colour;
  pen.lineWidth = STRIPE;
  pen.strokeRect(x + inset, y + inset, width - 2 * inset, height - 2 * inset);
}

/** A selection stays seen round what runs: its outline is drawn inside it. */
function paintMark(pen: CanvasRenderingContext2D, node: FlowNode, mark: FarMark, colours: Colours): void {
  const { x, y } = node.position;
  const { width = 0, height = 0 } = node.measured ?? {};
  if (mark.outline !== undefined) paintOutline(pen, node, colours.of(mark.outline), STRIPE);
  if (mark.foot !== undefined) {
    pen.fillStyle = colours.of(mark.foot.colour);
    pen.fillRect(x, y + height - 2 * STRIPE, width * mark.foot.share, 2 * STRIPE);
  }
  if (mark.corner !== undefined) {
    pen.fillStyle = colours.of(mark.corner);
    pen.fillRect(x + width - CORNER, y, CORNER, CORNER);
  }
}

function stripeOf(id: string): string {
  return ownColour(nodeOf(currentGraph(), id)?.ui?.color) ?? categoryColour(nodeTypeNow(id)?.category ?? "");
}

function paintWire(
  pen: CanvasRenderingContext2D,
  edge: FlowEdge,
  nodes: ReadonlyMap<string, FlowNode>,
  colours: Colours,
): void {
  const from = endAt(nodes.get(edge.source), "source", edge.sourceHandle);
  const to = endAt(nodes.get(edge.target), "target", edge.targetHandle);
  if (from === undefined || to === undefined) return;
  const bend = Math.max(40, Math.abs(to.x - from.x) / 2);
  pen.strokeStyle = colours.of(typeColour(edge.data?.type ?? "Any"));
  pen.lineWidth = WIRE;
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x, to.y);
  pen.stroke();
}

function endAt(node: FlowNode | undefined, type: "source" | "target", id: string | null | undefined) {
  const handle = node?.handles?.find((one) => one.type === type && one.id === id);
  if (node === undefined || handle === undefined) return undefined;
  const { width = 0, height = 0 } = handle;
  return { x: node.position.x + handle.x + width / 2, y: node.position.y + handle.y + height / 2 };
}
