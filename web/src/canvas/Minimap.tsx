import { useReactFlow } from "@xyflow/react";
import { memo, useCallback, useEffect, useMemo, useRef, type PointerEvent } from "react";
import { nodeTypeNow } from "@/state/shownTypes";
import { t } from "@/strings";
import { useTheme } from "@/theme/useTheme";
import { categoryColour, Colours } from "./colours";
import type { FlowNode } from "./flow";
import { fitBounds, onMap, toFlow, toMap, type Bounds, type Box, type Scale } from "./minimapScale";
import { useEachView, type View } from "./useEachView";
import { boundsOf } from "./wholeView";

const MAP: Box = { width: 198, height: 142 };

/**
 * A map of the workflow; whoever drags on it moves the view.
 *
 * The cards are drawn once for each change of the workflow, on a canvas: moving the view moves one element.
 */
export const Minimap = memo(function Minimap({ nodes }: { nodes: readonly FlowNode[] }) {
  const boxes = useMemo(
    () => nodes.map((node) => ({ ...boundsOf(node), id: node.id, type: node.type })),
    [nodes],
  );
  const scale = useMemo(() => fitBounds(boxes, MAP), [boxes]);
  const { getZoom, setCenter } = useReactFlow();
  const go = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const { x, y } = toFlow(scale, { x: event.clientX - left, y: event.clientY - top });
    void setCenter(x, y, { zoom: getZoom() });
  };
  return (
    <div
      className="minimap"
      role="img"
      aria-label={t("minimap")}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={go}
    >
      <Drawing boxes={boxes} scale={scale} />
      <Seen scale={scale} />
    </div>
  );
});

type Drawn = Bounds & { readonly id: string; readonly type?: string | undefined };

const Drawing = memo(function Drawing({ boxes, scale }: { boxes: readonly Drawn[]; scale: Scale }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  useEffect(() => {
    if (canvas.current) draw(canvas.current, boxes, scale);
  }, [boxes, scale, theme]);
  return <canvas ref={canvas} width={MAP.width * 2} height={MAP.height * 2} />;
});

function draw(canvas: HTMLCanvasElement, boxes: readonly Drawn[], scale: Scale): void {
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  const colours = new Colours(getComputedStyle(canvas));
  pen.setTransform(2, 0, 0, 2, 0, 0);
  pen.clearRect(0, 0, MAP.width, MAP.height);
  for (const box of boxes) {
    const { x, y, width, height } = toMap(scale, box);
    pen.fillStyle = colours.of(colourOf(box));
    pen.fillRect(x, y, Math.max(1, width), Math.max(1, height));
  }
}

function colourOf({ id, type }: Drawn): string {
  return type === "card" ? categoryColour(nodeTypeNow(id)?.category ?? "") : "var(--grey-3)";
}

/** What of the workflow is in the window. */
function Seen({ scale }: { scale: Scale }) {
  const frame = useRef<HTMLDivElement>(null);
  const draw = useCallback(
    ({ transform: [x, y, zoom], width, height }: View) => {
      const seen = { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
      const box = onMap(toMap(scale, seen), MAP);
      const style = frame.current?.style;
      if (style === undefined) return;
      style.transform = `translate(${box.x}px, ${box.y}px)`;
      style.width = `${box.width.toFixed(1)}px`; // rounded: else a move without zoom would change it, too
      style.height = `${box.height.toFixed(1)}px`;
    },
    [scale],
  );
  useEachView(draw);
  return <div ref={frame} className="minimap-view" />;
}
