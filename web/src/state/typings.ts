/** The types that sockets have in the graph that is shown, with what comes into it from outside. */
import { lookUp, type Graph, type NodeEntry, type Workflow } from "@/model/document";
import { Insides, Typing } from "@/model/typing";
import { useCatalogue } from "./catalogue";
import { graphOf, tabOf, useDocuments, workflowOf, type Entered, type Tab } from "./documents";
import { nodeTypeOf, type Catalogue } from "./nodeTypes";
import type { End } from "./surface";

interface Known {
  readonly catalogue: Catalogue;
  readonly trail: readonly Entered[];
  readonly typing: Typing;
}

const typings = new WeakMap<Workflow, Known>();

/** The types in the graph that a tab shows; worked out once for each state of it. */
export function typingOf(tab: Tab, catalogue: Catalogue): Typing {
  const [workflow, { trail }] = [workflowOf(tab), tab];
  const known = typings.get(workflow);
  if (known?.catalogue === catalogue && known.trail === trail) return known.typing;
  const typing = typingAlong(tab, catalogue);
  typings.set(workflow, { catalogue, trail, typing });
  return typing;
}

/** From the workflow itself, through the nodes that were entered, to the graph that is shown. */
function typingAlong(tab: Tab, catalogue: Catalogue): Typing {
  const workflow = workflowOf(tab);
  const inside = (name: string) => {
    const graph = lookUp(workflow.subgraphs, name);
    return graph && { graph, signatureOf: signatures(graph, workflow, catalogue) };
  };
  const insides = new Insides(inside, catalogue.bases);
  const whole = new Typing(workflow, signatures(workflow, workflow, catalogue), catalogue.bases, { insides });
  const shown = tab.trail.slice(1).reduce<Typing | undefined>((typing, { scope, prefix }, index) => {
    const node = prefix.slice(tab.trail[index]?.prefix.length, -1);
    return scope === null ? typing : typing?.inside(node, scope);
  }, whole);
  const graph = graphOf(tab); // by itself, where the way to it is gone
  return shown ?? new Typing(graph, signatures(graph, workflow, catalogue), catalogue.bases, { insides });
}

const signatures =
  (graph: Graph, workflow: Workflow, catalogue: Catalogue) => (id: string, entry: NodeEntry) =>
    nodeTypeOf(id, entry, { graph, workflow, catalogue });

/** The name of the type that a socket of the shown graph is shown with; `undefined` asks for nothing. */
export function useShownType(end: End | undefined): string | undefined {
  const catalogue = useCatalogue((state) => state.catalogue);
  return useDocuments((state) => {
    if (end === undefined) return undefined;
    const typing = typingOf(tabOf(state), catalogue);
    const { node, socket, side } = end;
    return (side === "input" ? typing.shownInput(node, socket) : typing.shownOutput([node, socket])).name;
  });
}
