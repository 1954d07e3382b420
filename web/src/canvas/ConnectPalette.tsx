import { closeSurface, openSearch, useSurface, type End } from "@/state/surface";
import { nodeOf } from "@/model/document";
import { currentGraph } from "@/state/documents";
import { t } from "@/strings";
import { FilterList, type Choice } from "@/widgets/FilterList";
import { rank } from "@/model/search";
import { titleOf } from "./actions";
import { focusNode } from "./focus";
import { fittingEnds, isWired, unplug, wire } from "./wiring";

interface ConnectChoice extends Choice {
  readonly act: () => void;
}

/** The sockets that a socket may be wired to, as a list: connecting by keyboard. */
export function ConnectPalette() {
  const from = useSurface((surface) => surface.connect);
  if (from === undefined) return null;
  const choices = choicesFor(from);
  const leave = () => {
    closeSurface();
    focusNode(from.node);
  };
  return (
    <div className="palette" role="dialog" aria-modal aria-label={t("connectTitle", { socket: from.socket })}>
      <FilterList
        label={t("connectTitle", { socket: from.socket })}
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

function find(choices: readonly ConnectChoice[], words: string): readonly ConnectChoice[] {
  const entries = choices.map((choice) => ({
    choice,
    id: choice.label,
    title: choice.label,
    category: "",
    description: choice.detail ?? "",
  }));
  return rank(entries, words).map(({ choice }) => choice);
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
