import { Handle, Position } from "@xyflow/react";
import { memo, type KeyboardEvent } from "react";
import { isPartlyOpen, socketType } from "@/model/sockets";
import { openConnect, useSurface, type End } from "@/state/surface";
import { useShownType } from "@/state/typings";
import { t } from "@/strings";
import { typeColour } from "./colours";
import { whyRefused } from "./wiring";

interface Props extends End {
  /** As it is declared. */
  type: string;
  description: string;
  required?: boolean;
  wired?: boolean;
  /** Whether Tab stops here; the sockets beside widgets are reached by a key instead. */
  stop?: boolean;
}

/** One socket. While a wire is drawn it shows whether it may be met. */
export const Socket = memo(function Socket({
  node,
  socket,
  side,
  type: declared,
  description,
  required,
  wired,
  stop = true,
}: Props) {
  const end: End = { node, socket, side };
  const type = useShownType(isPartlyOpen(socketType(declared)) ? end : undefined) ?? declared;
  const refused = useSurface(({ drawing }) => (drawing ? refusalFor(drawing, end) : undefined));
  const drawing = useSurface((surface) => surface.drawing !== undefined);
  const classes = [
    "socket",
    wired && "wired",
    required && "required",
    drawing && (refused ? "refused" : "fits"),
  ];
  const name = t(side === "input" ? "inputSocket" : "outputSocket", { name: socket, type });
  const openByKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    openConnect([end]);
  };
  return (
    <Handle
      id={socket}
      type={side === "input" ? "target" : "source"}
      position={side === "input" ? Position.Left : Position.Right}
      className={classes.filter(Boolean).join(" ")}
      style={{ color: typeColour(type) }}
      title={[`${socket}: ${type}`, description].filter(Boolean).join("\n")}
      role="button"
      tabIndex={stop ? 0 : -1}
      aria-label={name}
      onKeyDown={openByKey}
    />
  );
});

function refusalFor(drawing: End, end: End): string | undefined {
  const itself = drawing.node === end.node && drawing.socket === end.socket && drawing.side === end.side;
  return itself ? undefined : whyRefused(drawing, end);
}
