/** Making and naming the bodies of loops. */
import { newBody, type PassingType } from "@/model/newBody";
import { editAt } from "@/model/document";
import { setInput } from "@/model/edit";
import { socketType } from "@/model/sockets";
import { freshName, wouldContainItself } from "@/model/subgraphs";
import { t } from "@/strings";
import { allTypes, bodyInputs } from "./catalogue";
import { currentTab, editWorkflow, enterNode, scopeOf, workflowOf, type Tab } from "./documents";
import type { InputType, NodeType } from "./nodeTypes";

/** Names of the subgraphs that a node of the shown graph may run: not those that would hold themselves then. */
export function possibleBodies(tab: Tab): string[] {
  const workflow = workflowOf(tab);
  return Object.keys(workflow.subgraphs ?? {}).filter(
    (name) => !wouldContainItself(workflow, scopeOf(tab), `subgraph/${name}`, bodyInputs),
  );
}

/** Make a body for an input of a node, and go into it. */
export function beginBody(node: string, { name: input, body: wanted }: InputType): void {
  const passing = passingType(allTypes());
  if (wanted === undefined) return;
  editWorkflow({ name: t("stepNewBody") }, (workflow) => {
    const name = freshName(Object.keys(workflow.subgraphs ?? {}), t("bodyName"));
    const subgraph = passing ? newBody(wanted, passing) : {};
    const defined = { ...workflow, subgraphs: { ...workflow.subgraphs, [name]: subgraph } };
    return editAt(defined, scopeOf(currentTab()), (graph) => setInput(graph, node, input, name));
  });
  enterNode(node, input);
}

/** A type with one input and one output, which are of any same type. */
function passingType(types: readonly NodeType[]): PassingType | undefined {
  for (const { id, version, inputs, outputs, terminal } of types) {
    const [[input, ...others], [output, ...more]] = [inputs, outputs];
    if (terminal || others.length + more.length > 0 || input?.type !== output?.type) continue;
    if (input && output && socketType(input.type).kind === "var")
      return { type: id, version, input: input.name, output: output.name };
  }
  return undefined;
}
