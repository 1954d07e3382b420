import { useShallow } from "zustand/react/shallow";
import { lookUp } from "@/model/document";
import { beginBody, possibleBodies } from "@/state/bodies";
import { useTab, workflowOf } from "@/state/documents";
import { t } from "@/strings";
import { Picker } from "./Picker";
import type { WidgetProps } from "./registry";
import type { Choice } from "./FilterList";

const NEW = "\n"; // no subgraph is called that

/** The subgraph that a node runs: one of the workflow, or a new one. */
export function BodyWidget({ controlId, node, input, value, onChange }: WidgetProps) {
  const names = useTab(useShallow(possibleBodies));
  const subgraphs = useTab((tab) => workflowOf(tab).subgraphs);
  const choices = names.map((name): Choice => {
    const { inputs = {}, outputs = {} } = lookUp(subgraphs, name) ?? {};
    const sides = [inputs, outputs].map((side) => Object.keys(side).join(", "));
    return { key: name, label: name, detail: sides.join(" → ") };
  });
  return (
    <Picker
      controlId={controlId}
      label={input.name}
      text={typeof value === "string" && value !== "" ? value : t("chooseBody")}
      chosen={String(value)}
      choices={[...choices, { key: NEW, label: t("newBody") }]}
      onPick={(key) => (key === NEW ? beginBody(node, input) : onChange(key))}
    />
  );
}
