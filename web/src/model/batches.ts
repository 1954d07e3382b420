/** Batches: runs of one workflow, of which the seeds go on from one to the next. */
import { lookUp, mapValues, nodesOf, type Graph, type NodeEntry, type Workflow } from "./document";
import { setInput } from "./edit";
import { isSeed, nextSeed, type AfterRun, type Seed } from "./seeds";
import { placeName, type Overrides } from "./sweep";

/** What becomes of seeds after a run, as kept in `ui.seeds` of the node. */
export function afterRunOf(entry: NodeEntry | undefined, input: string): AfterRun {
  const chosen = (entry?.ui?.seeds as Record<string, AfterRun> | undefined)?.[input];
  return chosen ?? "fixed";
}

/** The workflow for the run after one. */
export function advanceSeeds(workflow: Workflow, random?: () => number): Workflow {
  return eachGraph(workflow, (graph) => {
    let changed = graph;
    for (const { node, input, seed } of seedsOf(graph)) {
      const after = afterRunOf(nodesOf(graph)[node], input);
      changed = setInput(changed, node, input, nextSeed(seed, after, random));
    }
    return changed;
  });
}

export interface Batch {
  /** For each run the seeds that it has instead of those of the workflow. */
  readonly variants: readonly Overrides[];
  /** The workflow for the run after the last. */
  readonly after: Workflow;
}

/**
 * As many runs as can be told as variants of one workflow, up to `most`.
 *
 * Seeds inside subgraphs cannot: where one of them goes on, a batch has a single run.
 */
export function batchOf(workflow: Workflow, most: number, random?: () => number): Batch {
  const variants: Overrides[] = [];
  let now = workflow;
  do {
    variants.push(differences(workflow, now));
    now = advanceSeeds(now, random);
  } while (variants.length < most && now.subgraphs === workflow.subgraphs);
  return { variants, after: now };
}

function differences(before: Workflow, now: Workflow): Overrides {
  if (now === before) return {};
  const own = seedsOf(now).filter(({ node, input, seed }) => {
    const entry = nodesOf(before)[node];
    return lookUp(entry?.inputs, input) !== seed && lookUp(entry?.links, input) === undefined;
  });
  return Object.fromEntries(own.map((one) => [placeName(one), one.seed]));
}

/** `now` with the seeds of `after`, wherever it still has those of `before`. */
export function takeSeeds(now: Workflow, before: Workflow, after: Workflow): Workflow {
  return eachGraph(now, (graph, name) => {
    const [then, next] = [before, after].map((one) => (name === null ? one : lookUp(one.subgraphs, name)));
    if (then === undefined || next === undefined) return graph;
    let changed = graph;
    for (const { node, input, seed } of seedsOf(graph)) {
      const [old, fresh] = [then, next].map((one) => lookUp(lookUp(one.nodes, node)?.inputs, input));
      if (old === seed && isSeed(fresh)) changed = setInput(changed, node, input, fresh);
    }
    return changed;
  });
}

interface SeedPlace {
  readonly node: string;
  readonly input: string;
  readonly seed: Seed;
}

/** The seeds of a graph of which something was said that becomes of them. */
function seedsOf(graph: Graph): SeedPlace[] {
  return Object.entries(nodesOf(graph)).flatMap(([node, entry]) =>
    Object.keys((entry.ui?.seeds as object | undefined) ?? {}).flatMap((input) => {
      const seed = lookUp(entry.inputs, input);
      return isSeed(seed) ? [{ node, input, seed }] : [];
    }),
  );
}

/** The workflow with each of its graphs changed; `null` is the name of the workflow itself. */
function eachGraph(
  workflow: Workflow,
  change: <G extends Graph>(graph: G, name: string | null) => G,
): Workflow {
  const whole = change(workflow, null);
  const inner = workflow.subgraphs && mapValues(workflow.subgraphs, change);
  return inner === workflow.subgraphs ? whole : { ...whole, ...(inner && { subgraphs: inner }) };
}
