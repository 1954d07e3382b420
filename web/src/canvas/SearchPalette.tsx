import { useReactFlow } from "@xyflow/react";
import { useMemo } from "react";
import { everydayFirst } from "@/model/everyday";
import { rankFitting } from "@/model/fitting";
import { rank } from "@/model/search";
import { wouldContainItself } from "@/model/subgraphs";
import { swaps } from "@/model/swap";
import { bodyInputs, currentCatalogue, useCatalogue } from "@/state/catalogue";
import { currentGraph, currentTab, currentWorkflow, scopeOf } from "@/state/documents";
import { subgraphType, type Catalogue, type NodeType } from "@/state/nodeTypes";
import { nodeTypeNow } from "@/state/shownTypes";
import { ownTypes } from "@/state/ownNodes";
import { closeSurface, useSurface, type SearchRequest } from "@/state/surface";
import { t } from "@/strings";
import { FilterList, type Choice } from "@/widgets/FilterList";
import { addNodeOf, mayAdd, swapNode } from "./actions";
import { typeColour } from "./colours";
import { bringIntoView } from "./bringIntoView";
import { focusCanvas } from "./focus";
import { typeOfEnd } from "./wiring";

interface TypeChoice extends Choice {
  readonly type: NodeType;
}

/** Search over all nodes; limited to those that fit where a wire was let go. */
export function SearchPalette() {
  const request = useSurface((surface) => surface.search);
  return request && <Search request={request} />;
}

function Search({ request }: { request: SearchRequest }) {
  const flow = useReactFlow();
  const catalogue = useCatalogue((state) => state.catalogue); // may come while this is open
  const types = useMemo(() => candidates(request, catalogue), [request, catalogue]);
  const losses = useMemo(() => lossesOf(request, types), [request, types]);
  const find = (words: string) => {
    const ranked =
      words.trim() === "" && !request.from && !request.swap ? everydayFirst(types) : rank(types, words);
    return ranked.map((type) => choiceOf(type, losses.get(type)));
  };
  const label = request.swap ? t("searchSwap") : request.from ? t("searchFitting") : t("searchNodes");
  const pick = ({ type }: TypeChoice) => {
    closeSurface();
    if (request.swap) swapNode(request.swap, type);
    const id = request.swap ?? addNodeOf(type, request.at, request.from);
    if (id !== undefined) bringIntoView(flow, id);
  };
  return (
    <div
      className="palette-veil"
      onPointerDown={(event) => event.target === event.currentTarget && closeSurface()}
    >
      <div className="palette" role="dialog" aria-modal aria-label={label}>
        <FilterList
          label={label}
          find={find}
          onPick={pick}
          onCancel={() => {
            closeSurface();
            focusCanvas();
          }}
          about={({ type }) => <About type={type} />}
        />
      </div>
    </div>
  );
}

function choiceOf(type: NodeType, lost: readonly string[] = []): TypeChoice {
  const detail = lost.length > 0 ? t("dropsWires", { wires: lost.join(", ") }) : type.category;
  return { key: type.id, label: type.title, detail, type };
}

/** The wires that would go where a type takes the place of a node. */
function lossesOf(
  { swap }: SearchRequest,
  types: readonly NodeType[],
): ReadonlyMap<NodeType, readonly string[]> {
  if (swap === undefined) return new Map();
  const found = swaps(currentGraph(), swap, types, nodeTypeNowOf, currentCatalogue().bases);
  return new Map(found.map(({ type, dropped }) => [type, dropped]));
}

const nodeTypeNowOf = (id: string) => nodeTypeNow(id);

function candidates({ from, swap }: SearchRequest, catalogue: Catalogue): NodeType[] {
  const place = { graph: currentGraph(), workflow: currentWorkflow(), catalogue };
  const scope = scopeOf(currentTab());
  const own = Object.keys(place.workflow.subgraphs ?? {})
    .filter((name) => !wouldContainItself(place.workflow, scope, `subgraph/${name}`, bodyInputs))
    .flatMap((name) => subgraphType(`subgraph/${name}`, place) ?? []);
  const all = [...ownTypes().filter(mayAdd), ...Object.values(catalogue.nodes), ...own];
  if (swap !== undefined)
    return swaps(place.graph, swap, everydayFirst(all), nodeTypeNowOf, catalogue.bases).map(
      ({ type }) => type,
    );
  if (from === undefined) return all;
  const category = nodeTypeNow(from.node)?.category ?? "";
  return rankFitting(all, { side: from.side, type: typeOfEnd(from), category }, catalogue.bases);
}

function About({ type }: { type: NodeType }) {
  return (
    <>
      <h2>{type.title}</h2>
      <p className="quiet">
        {type.category} · <code>{type.id}</code>
      </p>
      <p>{type.description}</p>
      <Sockets title={t("inputs")} sockets={type.inputs} />
      <Sockets title={t("outputs")} sockets={type.outputs} />
    </>
  );
}

function Sockets({ title, sockets }: { title: string; sockets: readonly { name: string; type: string }[] }) {
  if (sockets.length === 0) return null;
  return (
    <dl>
      <dt>{title}</dt>
      {sockets.map(({ name, type }) => (
        <dd key={name}>
          <span className="dot" style={{ background: typeColour(type) }} />
          {name} <span className="quiet">{type}</span>
        </dd>
      ))}
    </dl>
  );
}
