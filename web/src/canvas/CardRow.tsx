import { memo } from "react";
import { gathers, socketType } from "@/model/sockets";
import { useOuterName } from "@/state/documents";
import type { OutputType } from "@/state/nodeTypes";
import type { InputType } from "@/state/nodeTypes";
import { openMenu } from "@/state/surface";
import { nameAndHelp, t } from "@/strings";
import { Widget } from "@/widgets/Widget";
import type { Row } from "./rows";
import { Socket } from "./Socket";

interface Props {
  node: string;
  row: Row;
  wired: boolean;
}

export const CardRow = memo(
  function CardRow({ node, row, wired }: Props) {
    const { input, output, widget, height } = row;
    return (
      <div className={`card-row ${widget ? "with-widget" : ""}`} style={{ height }}>
        {input && <InputEnd node={node} input={input} wired={wired} bare={widget === undefined} />}
        {input && widget && <Widget node={node} input={input} kind={widget} />}
        {output && <OutputEnd node={node} output={output} />}
      </div>
    );
  },
  (one, other) =>
    one.node === other.node &&
    one.wired === other.wired &&
    one.row.input === other.row.input &&
    one.row.output === other.row.output &&
    one.row.widget === other.row.widget,
);

function InputEnd({
  node,
  input,
  wired,
  bare,
}: {
  node: string;
  input: InputType;
  wired: boolean;
  bare: boolean;
}) {
  const many = gathers(socketType(input.type)) && input.socketOnly;
  const outer = useOuterName(node, "inputs", input.name);
  return (
    <>
      <Socket
        node={node}
        socket={input.name}
        side="input"
        type={input.type}
        description={input.description}
        required={bare && input.required && !wired && outer === undefined}
        wired={wired}
        stop={bare}
      />
      {bare && (
        <span
          className="socket-name"
          title={nameAndHelp(input.name, input.description)}
          onContextMenu={(event) => {
            event.preventDefault();
            event.stopPropagation();
            openMenu({ x: event.clientX, y: event.clientY, target: { kind: "card", id: node }, at: [0, 0] });
          }}
        >
          {input.name}
          {many && <span className="quiet"> {t("several")}</span>}
          {outer !== undefined && <span className="quiet"> {t("fromOutside", { outer })}</span>}
        </span>
      )}
    </>
  );
}

function OutputEnd({ node, output }: { node: string; output: OutputType }) {
  const outer = useOuterName(node, "outputs", output.name);
  return (
    <>
      <span className="socket-name output" title={nameAndHelp(output.name, output.description)}>
        {outer !== undefined && <span className="quiet">{t("toOutside", { outer })} </span>}
        {output.name}
      </span>
      <Socket
        node={node}
        socket={output.name}
        side="output"
        type={output.type}
        description={output.description}
      />
    </>
  );
}
