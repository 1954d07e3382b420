/** Where the outputs of a graph go. */
import { isOneLink, linkList, nodesOf, type Graph } from "./document";
import { placeKey } from "./loopTypes";

export interface Consumer {
  readonly node: string;
  readonly input: string;
  /** Whether it is one of several that are gathered. */
  readonly gathered: boolean;
}

/** By output, the inputs that it is wired to; what is muted or bypassed takes nothing. */
export function consumersIn(graph: Graph): ReadonlyMap<string, readonly Consumer[]> {
  const found = new Map<string, Consumer[]>();
  for (const [node, { links, mode }] of Object.entries(nodesOf(graph)))
    for (const [input, sources] of mode ? [] : Object.entries(links ?? {}))
      for (const link of linkList(sources)) {
        const key = placeKey(...link);
        const known = found.get(key) ?? [];
        known.push({ node, input, gathered: !isOneLink(sources) });
        found.set(key, known);
      }
  return found;
}
