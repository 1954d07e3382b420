import { memo, Suspense, useCallback } from "react";
import { Boundary } from "@/app/Boundary";
import { lookUp, nodeOf, type Json } from "@/model/document";
import { setInput } from "@/model/edit";
import { useCheck } from "@/state/check";
import { edit, graphOf, prefixOf, useOuterName, useTab } from "@/state/documents";
import type { InputType } from "@/state/nodeTypes";
import { nameAndHelp, t } from "@/strings";
import { JsonWidget } from "./JsonWidget";
import { defaultValue, type WidgetKind } from "./kinds";
import { WIDGETS } from "./registry";
import "./widgets.css";

interface Props {
  node: string;
  input: InputType;
  kind: WidgetKind;
}

const TALL: readonly WidgetKind[] = ["prompt", "image", "mask", "curve"];

/** An input as a row: its name, and the control that its schema asks for. */
export const Widget = memo(function Widget({ node, input, kind }: Props) {
  const kept = useTab((tab) => lookUp(nodeOf(graphOf(tab), node)?.inputs, input.name));
  const path = useTab(prefixOf) + node;
  const wrong = useCheck((check) =>
    check.issues.some(
      (issue) => issue.severity === "error" && issue.node === path && issue.input === input.name,
    ),
  );
  const { name } = input;
  const change = useCallback(
    (value: Json) =>
      edit({ name: t("stepSet", { input: name }), merge: `set:${node}.${name}` }, (graph) =>
        setInput(graph, node, name, value),
      ),
    [node, name],
  );
  const outer = useOuterName(node, "inputs", name);
  const Control = WIDGETS[kind];
  const controlId = `${node}.${name}`;
  const shown = { controlId, node, input, value: kept ?? defaultValue(input), onChange: change };
  return (
    <div
      className={`widget widget-${kind} nodrag ${wrong ? "wrong" : ""} ${TALL.includes(kind) ? "tall" : ""}`}
    >
      <label htmlFor={controlId} title={nameAndHelp(name, input.description)}>
        {name}
        {outer !== undefined && <span className="quiet"> {t("fromOutside", { outer })}</span>}
      </label>
      <Boundary subject={shown.value} fallback={() => <JsonWidget {...shown} />}>
        <Suspense fallback={null}>
          <Control {...shown} />
        </Suspense>
      </Boundary>
    </div>
  );
});
