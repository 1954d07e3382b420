import { useDeferredValue, useMemo, useState } from "react";
import { addNodeOf } from "@/canvas/actions";
import { placeInView } from "@/canvas/placeInView";
import { openSaved, openTemplate } from "@/files/opening";
import { byCategory } from "@/model/everyday";
import { rank } from "@/model/search";
import { useCatalogue } from "@/state/catalogue";
import type { NodeType } from "@/state/nodeTypes";
import { askOwnNode } from "@/state/ownNodeQuestion";
import { ownTypes, placeOfOwn, useOwnNodes } from "@/state/ownNodes";
import { t } from "@/strings";
import { textOf } from "./outputs";
import { Filter, Shell } from "./Shell";

/** Every node there is, by category, with what it does and takes. */
export default function NodesPanel() {
  const { status, catalogue, problem } = useCatalogue();
  const [words, setWords] = useState("");
  const query = useDeferredValue(words);
  const own = useOwnNodes((state) => state.nodes);
  const groups = useMemo(() => {
    const types = [...ownTypes(own, catalogue), ...Object.values(catalogue.nodes)];
    return groupsOf(rank(types, query), query !== "");
  }, [catalogue, own, query]);
  return (
    <Shell loading={status === "loading"} problem={problem || undefined}>
      <Filter value={words} onChange={setWords} />
      {groups.length === 0 && status === "ready" && <p className="quiet">{t("nothingFound")}</p>}
      {groups.map(([category, types]) => (
        <details key={category} open={query !== "" || isOwn(types) || undefined} className="category">
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

function groupsOf(types: readonly NodeType[], ranked: boolean): [string, NodeType[]][] {
  const groups = new Map<string, NodeType[]>();
  for (const type of types) groups.set(type.category, [...(groups.get(type.category) ?? []), type]);
  const all = [...groups];
  if (ranked) return all;
  const mine = (types: readonly NodeType[]) => Number(!isOwn(types));
  return all.sort(([one, some], [other, others]) => mine(some) - mine(others) || byCategory(one, other));
}

function isOwn([first]: readonly NodeType[]): boolean {
  return first?.own !== undefined;
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
          onClick={() => addNodeOf(type, placeInView())}
        >
          +
        </button>
      </div>
      {open && type.own && <OwnNodeButtons name={type.title} />}
      {open && <NodeDocs type={type} />}
    </li>
  );
}

function OwnNodeButtons({ name }: { name: string }) {
  return (
    <div className="row own-node">
      <button onClick={() => void openSaved(placeOfOwn(name))}>{t("editOwn")}</button>
      <button onClick={() => askOwnNode({ kind: "rename", name })}>{t("rename_")}</button>
      <button onClick={() => askOwnNode({ kind: "delete", name })}>{t("delete")}</button>
    </div>
  );
}

function NodeDocs({ type }: { type: NodeType }) {
  return (
    <div className="node-docs">
      <p>{type.description}</p>
      <p className="quiet">
        <code>{type.id}</code>
      </p>
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
