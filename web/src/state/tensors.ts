/** Masks and latents that nodes gave, asked for when they are looked at. */
import { useEffect, useState } from "react";
import { getTensor } from "@/api/client";
import { ApiError, Unreachable } from "@/api/problems";
import { nodesOf, linkList, type Graph, type NodeEntry } from "@/model/document";
import type { Tensor } from "@/model/tensors";
import { inputUrl } from "@/widgets/uploads";
import { widgetKind } from "@/widgets/kinds";
import { useCheck } from "./check";
import { currentGraph, currentTab, prefixOf, useTab } from "./documents";
import { hasEnded, runAt, runsOf, useIterationOf, useRunOf, useRuns } from "./runs";
import { nodeTypeNow } from "./shownTypes";

const MOST = 100;
const asked = new Map<string, Promise<Tensor | undefined>>();

/** What an output of a node looks like; `undefined` where the server keeps it no more. */
function lookAt(job: string, node: string, output: string): Promise<Tensor | undefined> {
  const key = JSON.stringify([job, node, output]);
  const known = asked.get(key);
  if (known) return known;
  const answer = getTensor(job, node, output).catch((error: unknown) => {
    if (error instanceof Unreachable) asked.delete(key);
    else if (!(error instanceof ApiError)) throw error;
    return undefined;
  });
  asked.set(key, answer);
  for (const oldest of [...asked.keys()].slice(0, -MOST)) asked.delete(oldest);
  return answer;
}

/** An output of a node of the shown graph, once the run that made it is over; until then that of the run before. */
export function useTensor(id: string, output: string): Tensor | undefined {
  const job = useJobOf(id);
  const over = useRuns(({ runs }) => job !== undefined && (runs[job] === undefined || hasEnded(runs[job])));
  // A card is used again for a node of the same name in another tab, which must not show this one's.
  const tab = useTab(({ key }) => key);
  const path = prefixOf(currentTab()) + id;
  const node = useIterationOf(id)?.node ?? path;
  const place = JSON.stringify([tab, node, output]);
  const [seen, setSeen] = useState<{ place: string; tensor: Tensor | undefined }>();
  useEffect(() => {
    let gone = false;
    if (job !== undefined && over)
      void lookAt(job, node, output).then((tensor) => gone || setSeen({ place, tensor }));
    return () => void (gone = true);
  }, [job, over, node, output, place]);
  return seen?.place === place ? seen.tensor : undefined;
}

/** The job that the result of a node is of; of one that a run did not need, because it is cached, that run. */
function useJobOf(id: string): string | undefined {
  const tab = useTab(({ key }) => key);
  const path = useTab(prefixOf) + id;
  const cached = useCheck(({ nodes }) => ["memory", "disk"].includes(nodes[path]?.origin ?? ""));
  const last = useRuns(({ runs }) =>
    Object.values(runs).findLast((run) => run.tab === tab && run.state === "done"),
  );
  const own = useRunOf(id, (run) => run?.job);
  const idle = useRunOf(id, (run) => run === undefined || run.status === "done");
  if (!idle) return undefined;
  return own ?? (cached ? last?.job : undefined);
}

const FARTHEST = 200;

/**
 * The picture that a mask belongs to: one that goes into the same node as the mask, or else one that the mask
 * comes from.
 */
export function pictureNear(id: string, graph: Graph = currentGraph()): string | undefined {
  const readers = Object.values(nodesOf(graph)).map(sourcesOf);
  const beside = readers.filter((sources) => sources.includes(id)).flat();
  for (const source of [...beside.filter((source) => source !== id), id]) {
    const address = pictureBefore(source, graph);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The picture of a node, or of the nearest one before it that has one. */
function pictureBefore(id: string, graph: Graph): string | undefined {
  const seen = new Set([id]);
  for (const node of seen) {
    const address = pictureIn(node, graph);
    if (address !== undefined) return address;
    if (seen.size < FARTHEST) for (const source of sourcesOf(nodesOf(graph)[node])) seen.add(source);
  }
  return undefined;
}

function sourcesOf(node: NodeEntry | undefined): string[] {
  return Object.values(node?.links ?? {}).flatMap((links) => linkList(links).map(([source]) => source));
}

function pictureIn(id: string, graph: Graph): string | undefined {
  const input = nodeTypeNow(id, graph)?.inputs.find((one) => widgetKind(one) === "image");
  const name = input && nodesOf(graph)[id]?.inputs?.[input.name];
  if (typeof name === "string" && name !== "") return inputUrl(name);
  const tab = currentTab();
  const given = runAt(runsOf(useRuns.getState(), tab.key), prefixOf(tab) + id)?.outputs;
  const files = Object.values(given ?? {}).flatMap((values) => values.flatMap(({ file }) => file ?? []));
  return files.find(({ media_type }) => media_type.startsWith("image/"))?.url;
}
