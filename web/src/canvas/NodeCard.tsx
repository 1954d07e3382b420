import { NodeResizeControl, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import { Boundary } from "@/app/Boundary";
import { lookUp, type NodeEntry } from "@/model/document";
import { useEntry } from "@/state/documents";
import type { NodeType } from "@/state/nodeTypes";
import { useNodeType } from "@/state/shownTypes";
import { categoryColour, ownColour } from "./colours";
import { resizeNode } from "./actions";
import { BadCard } from "./BadCard";
import { CardHeader } from "./CardHeader";
import { CardResult } from "./CardResult";
import { CardRow } from "./CardRow";
import { CardStatus } from "./CardStatus";
import type { FlowNode } from "./flow";
import { cardGeometry, CARD_WIDTH } from "./geometry";
import { cardRows, type Row } from "./rows";
import { Socket } from "./Socket";
import { useFar } from "./useFar";
import { useTurn } from "./turns";
import { useRunOf } from "@/state/runs";

const NARROWEST = 180;

export const NodeCard = memo(function NodeCard({ id, selected, height }: NodeProps<FlowNode>) {
  const entry = useEntry(id);
  const type = useNodeType(id);
  const near = useTurn(!useFar());
  if (entry === undefined || type === undefined) return null;
  return (
    <Boundary subject={entry} fallback={(error) => <BadCard id={id} entry={entry} error={error} />}>
      {near ? (
        <Card id={id} entry={entry} type={type} selected={selected} />
      ) : (
        <Outline id={id} entry={entry} type={type} height={height} />
      )}
    </Boundary>
  );
});

interface Shown {
  id: string;
  entry: NodeEntry;
  type: NodeType;
}

function classesOf({ id: _, entry, type }: Shown, run: string | undefined): string {
  const classes = [
    "card",
    entry.mode,
    entry.ui?.collapsed && "collapsed",
    type.missing && "missing",
    run && `run-${run}`,
  ];
  return classes.filter(Boolean).join(" ");
}

function stripe({ entry, type }: Shown) {
  return { borderTopColor: ownColour(entry.ui?.color) ?? categoryColour(type.category) };
}

/**
 * A card seen from afar: its place and state, nothing to read.
 *
 * React Flow looks for sockets in whatever it mounts, by their classes, and keeps their places for when the card
 * is seen from near again; points that cannot be met are enough for that.
 */
function Outline({ height, ...shown }: Shown & { height: number | undefined }) {
  const run = useRunOf(shown.id, (state) => state?.status);
  return (
    <article className={`${classesOf(shown, run)} far`} style={{ ...stripe(shown), height }}>
      <header className="card-header" />
      {cardGeometry(shown.entry, shown.type).sockets.map(({ id, type, x, y }) => (
        <span
          key={`${type} ${id}`}
          className={`far-socket ${type}`}
          data-handleid={id}
          data-handlepos={type === "source" ? "right" : "left"}
          style={{ left: x, top: y }}
        />
      ))}
    </article>
  );
}

function Card({ selected, ...shown }: Shown & { selected: boolean }) {
  const { id, entry, type } = shown;
  const run = useRunOf(id, (state) => state?.status);
  const rows = cardRows(entry, type);
  return (
    <article className={classesOf(shown, run)} style={stripe(shown)} data-node={id}>
      <CardHeader id={id} entry={entry} type={type} />
      {entry.ui?.collapsed ? (
        <FoldedSockets id={id} rows={rows} />
      ) : (
        <>
          <div className="card-rows">
            {rows.map((row) => (
              <CardRow
                key={row.key}
                node={id}
                row={row}
                wired={row.input !== undefined && lookUp(entry.links, row.input.name) !== undefined}
              />
            ))}
          </div>
          <CardResult id={id} type={type} />
          <CardStatus id={id} type={type} />
        </>
      )}
      {selected && (
        <NodeResizeControl
          className="card-resizer"
          position="right"
          resizeDirection="horizontal"
          minWidth={NARROWEST}
          maxWidth={CARD_WIDTH * 4}
          onResize={(_, { width }) => resizeNode(id, width)}
        />
      )}
    </article>
  );
}

/** A collapsed card keeps its sockets, on its edge. */
function FoldedSockets({ id, rows }: { id: string; rows: readonly Row[] }) {
  return (
    <div className="folded-sockets">
      {rows.map(({ key, input, output }) => (
        <span key={key}>
          {input && <Socket node={id} socket={input.name} side="input" {...input} />}
          {output && <Socket node={id} socket={output.name} side="output" {...output} />}
        </span>
      ))}
    </div>
  );
}
