import { useDeferredValue, useMemo, useState } from "react";
import { addNodeOf } from "@/canvas/actions";
import { openTemplate } from "@/files/opening";
import { rank } from "@/model/search";
import { useCatalogue } from "@/state/catalogue";
import type { NodeType } from "@/state/nodeTypes";
import { currentGraph } from "@/state/documents";
import { nodesOf, type Point } from "@/model/document";
import { t } from "@/strings";
import { textOf } from "./outputs";
import { Filter, Shell } from "./Shell";

/** Every node there is, by category, with what it does and takes. */
export default function NodesPanel() {
  const { status, catalogue, problem } = useCatalogue();
  const [words, setWords] = useState("");
  const query = useDeferredValue(words);
  const groups = useMemo(
    () => byCategory(rank(Object.values(catalogue.nodes), query), query !== ""),
    [catalogue, query],
  );
  return (
    <Shell loading={status === "loading"} problem={problem || undefined}>
      <Filter value={words} onChange={setWords} />
      {groups.length === 0 && status === "ready" && <p className="quiet">{t("nothingFound")}</p>}
      {groups.map(([category, types]) => (
        <details key={category} open={query !== "" || undefined} className="category">
          <summary>
            {category} <span className="quiet">{types.length}</span>
          </summary>
          <ul className="panel-list">
            {types.map((type) => (
              <NodeEntry key={type.id} type={type} />
            ))}
          </ul>
        </details>
      ))}
    </Shell>
  );
}

function byCategory(types: readonly NodeType[], ranked: boolean): [string, NodeType[]][] {
  const groups = new Map<string, NodeType[]>();
  for (const type of types) groups.set(type.category, [...(groups.get(type.category) ?? []), type]);
  const all = [...groups];
  return ranked ? all : all.sort(([one], [other]) => one.localeCompare(other));
}

function NodeEntry({ type }: { type: NodeType }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="node-entry">
      <div className="row">
        <button className="grow" aria-expanded={open} onClick={() => setOpen(!open)}>
          {type.title}
        </button>
        <button
          aria-label={t("addNode", { title: type.title })}
          title={t("addNode", { title: type.title })}
          onClick={() => addNodeOf(type, freePlace())}
        >
          +
        </button>
      </div>
      {open && <NodeDocs type={type} />}
    </li>
  );
}

function NodeDocs({ type }: { type: NodeType }) {
  return (
    <div className="node-docs">
      <p>{type.description}</p>
      <dl aria-label={t("nodeOf", { title: type.title })}>
        {type.inputs.map((input) => (
          <div key={input.name}>
            <dt>
              {input.name} <code>{input.type}</code>
            </dt>
            <dd>
              {input.description}{" "}
              <span className="quiet">
                {input.required
                  ? t("required")
                  : input.default !== undefined && t("defaultsTo", { value: textOf(input.default) })}
              </span>
            </dd>
          </div>
        ))}
        {type.outputs.map((output) => (
          <div key={`out ${output.name}`}>
            <dt>
              → {output.name} <code>{output.type}</code>
            </dt>
            <dd>{output.description}</dd>
          </div>
        ))}
      </dl>
      {type.examples.length > 0 && (
        <p className="examples">
          {t("usedIn")}
          {type.examples.map((name) => (
            <button key={name} onClick={() => void openTemplate(name)}>
              {name.replaceAll("_", " ")}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}

/** Right of everything there is. */
function freePlace(): Point {
  const places = Object.values(nodesOf(currentGraph())).map((node): Point => node.ui?.position ?? [0, 0]);
  if (places.length === 0) return [80, 80];
  return [Math.max(...places.map(([x]) => x)) + 320, Math.min(...places.map(([, y]) => y))];
}
