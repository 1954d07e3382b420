/** The seeds of a workflow, and what becomes of all of them after a run. */
import { editAt, graphAt, lookUp, nodeOf, nodesOf, type Scope, type Workflow } from "@/model/document";
import { setUi } from "@/model/edit";
import type { AfterRun } from "@/model/seeds";
import { widgetKind } from "@/widgets/kinds";
import { nodeTypeOf, type Catalogue } from "./nodeTypes";

interface SeedPlace {
  readonly scope: Scope;
  readonly id: string;
  readonly input: string;
}

/** Every seed that a person sets: no wire brings it. */
function seedPlaces(workflow: Workflow, catalogue: Catalogue): SeedPlace[] {
  return [null, ...Object.keys(workflow.subgraphs ?? {})].flatMap((scope) => {
    const graph = graphAt(workflow, scope) ?? {};
    return Object.entries(nodesOf(graph)).flatMap(([id, entry]) =>
      nodeTypeOf(id, entry, { graph, workflow, catalogue })
        .inputs.filter(
          (input) => widgetKind(input) === "seed" && lookUp(entry.links, input.name) === undefined,
        )
        .map((input) => ({ scope, id, input: input.name })),
    );
  });
}

/** Whether there are seeds, and none of them changes after a run. */
export function allSeedsFixed(workflow: Workflow, catalogue: Catalogue): boolean {
  const places = seedPlaces(workflow, catalogue);
  return places.length > 0 && places.every((place) => afterRunAt(workflow, place) === "fixed");
}

/** The workflow with a new random seed everywhere after each run. */
export function withRandomSeeds(workflow: Workflow, catalogue: Catalogue): Workflow {
  return seedPlaces(workflow, catalogue).reduce(
    (changed, { scope, id, input }) =>
      editAt(changed, scope, (graph) =>
        setUi(graph, [id], {
          seeds: { ...(nodeOf(graph, id)?.ui?.seeds as object | undefined), [input]: "randomise" },
        }),
      ),
    workflow,
  );
}

function afterRunAt(workflow: Workflow, { scope, id, input }: SeedPlace): AfterRun {
  const kept = nodeOf(graphAt(workflow, scope) ?? {}, id)?.ui?.seeds as Record<string, AfterRun> | undefined;
  return lookUp(kept, input) ?? "fixed";
}
