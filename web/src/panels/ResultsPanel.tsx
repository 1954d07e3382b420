import { tensorOutputs } from "@/model/tensors";
import { useCheck } from "@/state/check";
import { prefixOf, tabOf, useDocuments, useTab } from "@/state/documents";
import { runAt, useRunsOf, type Outputs } from "@/state/runs";
import { useNodeNames } from "@/state/nodeNames";
import { run } from "@/state/running";
import { useNodeType } from "@/state/shownTypes";
import { t } from "@/strings";
import { picturesOf, shownOf, type Picture } from "./outputs";
import { PictureGrid } from "./PictureGrid";
import { Shell } from "./Shell";
import { ShownValue } from "./ShownValue";
import { TensorRow } from "./TensorRow";

/** What the nodes gave: of those that are selected, else of all. */
export default function ResultsPanel() {
  const key = useDocuments((state) => tabOf(state).key);
  const prefix = useTab(prefixOf);
  const selection = useTab((tab) => tab.selection);
  const runs = useRunsOf(key);
  const given = Object.entries(runs.nodes).flatMap(([path, { outputs }]) =>
    outputs ? [[path, outputs] as const] : [],
  );
  const wanted = new Set([...selection].map((id) => runs.iterations[prefix + id]?.node ?? prefix + id));
  const chosen = given.filter(([path]) => wanted.has(path));
  const shown = chosen.length > 0 ? chosen : given;
  const looked = [...selection].filter((id) => runAt(runs, prefix + id)?.job !== undefined);
  const pictures = shown.flatMap(([path, outputs]) => picturesOf({ [path]: outputs }, runs.nodes[path]?.job));
  const nothing = shown.length === 0 && looked.length === 0;
  const cached = useCheck((check) => check.run === 0 && check.maybe === 0);
  return (
    <Shell empty={nothing && !cached}>
      {nothing && cached && (
        <p className="quiet">
          {t("allCached")} <button onClick={() => void run()}>{t("showCached")}</button>
        </p>
      )}
      {shown.map(([path, outputs]) => (
        <Results key={path} path={path} outputs={outputs} among={pictures} />
      ))}
      {looked.map((id) => (
        <Tensors key={id} id={id} />
      ))}
    </Shell>
  );
}

/** The masks and latents of a node that is selected. */
function Tensors({ id }: { id: string }) {
  const names = tensorOutputs(useNodeType(id)?.outputs ?? []);
  if (names.length === 0) return null;
  return (
    <section className="results" aria-label={t("values", { node: id })}>
      <h3>{id}</h3>
      {names.map((name) => (
        <TensorRow key={name} node={id} output={name} />
      ))}
    </section>
  );
}

function Results({ path, outputs, among }: { path: string; outputs: Outputs; among: readonly Picture[] }) {
  const nameOf = useNodeNames(true);
  const plain = Object.entries(outputs).flatMap(([name, values]) => shownOf(name, values));
  return (
    <section className="results" aria-label={t("values", { node: path })}>
      <h3 title={path}>{nameOf(path)}</h3>
      <PictureGrid pictures={picturesOf({ [path]: outputs })} among={among} />
      {plain.map((shown, index) => (
        <ShownValue key={index} shown={shown} />
      ))}
    </section>
  );
}
