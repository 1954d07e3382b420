import { closeSurface, openSearch, useSurface, type End } from "@/state/surface";
import { nodeOf } from "@/model/document";
import { currentGraph } from "@/state/documents";
import { t } from "@/strings";
import { FilterList, type Choice } from "@/widgets/FilterList";
import { titleOf } from "./actions";
import { focusNode } from "./focus";
import { fittingEnds, isWired, unplug, wire } from "./wiring";

interface ConnectChoice extends Choice {
  readonly act: () => void;
}

/** The sockets that a socket may be wired to, as a list: connecting by keyboard. */
export function ConnectPalette() {
  const ends = useSurface((surface) => surface.connect);
  const [first] = ends ?? [];
  if (ends === undefined || first === undefined) return null;
  const choices = choicesForAll(ends);
  const label = t("connectTitle", { socket: ends.length === 1 ? first.socket : titleOf(first.node) });
  const leave = () => {
    closeSurface();
    focusNode(first.node);
  };
  return (
    <div className="palette" role="dialog" aria-modal aria-label={label}>
      <FilterList
        label={label}
        find={(words) => find(choices, words)}
        onPick={(choice) => {
          leave();
          choice.act();
        }}
        onCancel={leave}
      />
    </div>
  );
}

/** Those that hold every word; the order stays, with sockets that are there before new nodes. */
function find(choices: readonly ConnectChoice[], words: string): readonly ConnectChoice[] {
  const wanted = words.toLowerCase().split(/\s+/);
  return choices.filter(({ label }) => wanted.every((word) => label.toLowerCase().includes(word)));
}

/** Sockets that are wired already come last. */
function choicesForAll(ends: readonly End[]): ConnectChoice[] {
  const used = (end: End) => Number(end.side === "input" && isWired(end.node, end.socket));
  return [...ends]
    .sort((one, other) => used(one) - used(other))
    .flatMap((end) =>
      choicesFor(end).map((choice) => ({
        ...choice,
        key: `${end.socket}:${choice.key}`,
        label: `${end.socket} ${end.side === "output" ? "→" : "←"} ${choice.label}`,
      })),
    );
}

function choicesFor(from: End): ConnectChoice[] {
  const ends = fittingEnds(from).map((end) => ({
    key: `${end.node}/${end.socket}`,
    label: `${titleOf(end.node)} · ${end.socket}`,
    detail: end.node,
    act: () => wire(from, end),
  }));
  const [x, y] = nodeOf(currentGraph(), from.node)?.ui?.position ?? [0, 0];
  const beside = from.side === "output" ? x + 320 : x - 320;
  const fresh = {
    key: "new",
    label: t("connectNew"),
    act: () => openSearch({ at: [beside, y], from }),
  };
  const pull = { key: "pull", label: t("disconnect"), act: () => unplug(from.node, from.socket) };
  const wired = from.side === "input" && isWired(from.node, from.socket);
  return [...ends, fresh, ...(wired ? [pull] : [])];
}
