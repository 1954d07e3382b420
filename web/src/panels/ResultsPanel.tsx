import { prefixOf, tabOf, useDocuments, useTab } from "@/state/documents";
import { useRuns, type NodeRun, type Outputs } from "@/state/runs";
import { t } from "@/strings";
import { picturesOf, shownOf } from "./outputs";
import { PictureGrid } from "./PictureGrid";
import { Shell } from "./Shell";
import { ShownValue } from "./ShownValue";

const NONE: Readonly<Record<string, NodeRun>> = {};

/** What the nodes gave: of those that are selected, else of all. */
export default function ResultsPanel() {
  const key = useDocuments((state) => tabOf(state).key);
  const prefix = useTab(prefixOf);
  const selection = useTab((tab) => tab.selection);
  const nodes = useRuns((state) => state.nodes[key]) ?? NONE;
  const given = Object.entries(nodes).flatMap(([path, { outputs }]) =>
    outputs ? [[path, outputs] as const] : [],
  );
  const chosen = given.filter(
    ([path]) => path.startsWith(prefix) && selection.has(path.slice(prefix.length)),
  );
  const shown = chosen.length > 0 ? chosen : given;
  return (
    <Shell empty={shown.length === 0}>
      {shown.map(([path, outputs]) => (
        <Results key={path} path={path} outputs={outputs} />
      ))}
    </Shell>
  );
}

function Results({ path, outputs }: { path: string; outputs: Outputs }) {
  const plain = Object.entries(outputs).flatMap(([name, values]) => shownOf(name, values));
  return (
    <section className="results" aria-label={t("values", { node: path })}>
      <h3>{path}</h3>
      <PictureGrid pictures={picturesOf({ [path]: outputs })} />
      {plain.map((shown, index) => (
        <ShownValue key={index} shown={shown} />
      ))}
    </section>
  );
}
