/** The nodes that a person made of subgraphs; kept on the server, so every browser has them. */
import { create } from "zustand";
import { deleteSaved, listSaved, readSaved, writeSaved, type Expectation } from "@/api/library";
import { ApiError, Unreachable } from "@/api/problems";
import type { Workflow } from "@/model/document";
import { OWN_FOLDER, renamedOwn, subgraphOfOwn } from "@/model/ownNodes";
import { BadDocument, readText } from "@/model/reading";
import { t } from "@/strings";
import { tell } from "./announcer";
import { bodyInputs, currentCatalogue } from "./catalogue";
import { onServerEvent } from "./connection";
import { subgraphType, type Catalogue, type NodeType } from "./nodeTypes";

interface OwnNode {
  readonly name: string;
  readonly etag: string;
  readonly workflow: Workflow;
}

interface OwnNodes {
  readonly nodes: readonly OwnNode[];
}

export const useOwnNodes = create<OwnNodes>(() => ({ nodes: [] }));

export const placeOfOwn = (name: string): string => OWN_FOLDER + name;

/** Whether a saved workflow is one of the own nodes. */
export function isOwnPlace(path: string, nodes: readonly OwnNode[]): boolean {
  return nodes.some(({ name }) => placeOfOwn(name) === path);
}

/** Read what is new or changed since. */
export async function loadOwnNodes(): Promise<void> {
  try {
    const listed = (await listSaved()).filter(({ path }) => path.startsWith(OWN_FOLDER));
    const known = useOwnNodes.getState().nodes;
    const read = listed.map(async ({ path, etag }): Promise<OwnNode | undefined> => {
      const name = path.slice(OWN_FOLDER.length);
      return known.find((own) => own.name === name && own.etag === etag) ?? readOwn(name);
    });
    const all = (await Promise.all(read)).filter((own) => own !== undefined);
    useOwnNodes.setState({ nodes: all.filter(({ workflow }) => subgraphOfOwn(workflow) !== undefined) });
  } catch (error) {
    // Deleted while it was read, of which an event tells; or gone, and then it is read after the return.
    if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
  }
}

/** One whose file is damaged is told and left out: the others are of use. */
async function readOwn(name: string): Promise<OwnNode | undefined> {
  try {
    const { text, etag } = await readSaved(placeOfOwn(name));
    return { name, etag, workflow: readText(text).workflow };
  } catch (error) {
    if (!(error instanceof BadDocument || (error instanceof ApiError && error.status === 422))) throw error;
    tell(t("saidOf", { name: placeOfOwn(name), why: error.message }));
    return undefined;
  }
}

/** Keep a node; `false`: there is one of that name, or it could not be kept, which is told. */
export async function keepOwnNode(name: string, workflow: Workflow, expected: Expectation): Promise<boolean> {
  return telling(async () => {
    await writeSaved(placeOfOwn(name), workflow, expected);
    await loadOwnNodes();
  });
}

export async function deleteOwnNode(name: string): Promise<boolean> {
  return telling(async () => {
    await deleteSaved(placeOfOwn(name));
    await loadOwnNodes();
  });
}

/** Keep it under the new name first: whatever happens, it is not lost. */
export async function renameOwnNode(name: string, next: string): Promise<boolean> {
  const own = useOwnNodes.getState().nodes.find((candidate) => candidate.name === name);
  if (own === undefined) return false;
  return (await keepOwnNode(next, renamedOwn(own.workflow, next, bodyInputs), "new")) && deleteOwnNode(name);
}

async function telling(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof Unreachable) tell(t("serverGone"));
    else if (!(error instanceof ApiError)) throw error;
    else if (error.status !== 412) tell(error.detail);
    return false;
  }
}

const RELEVANT = ["workflow_saved", "workflow_deleted"];

/** Keep up with what is saved here and elsewhere. */
export function watchOwnNodes(): () => void {
  void loadOwnNodes();
  return onServerEvent((event) => {
    const { path } = event as { path?: string };
    const about = RELEVANT.includes(event.type) && path?.startsWith(OWN_FOLDER);
    if (about || event.type === "gap") void loadOwnNodes();
  });
}

let made: { nodes: readonly OwnNode[]; catalogue: Catalogue; types: readonly NodeType[] } | undefined;

/** The own nodes as types to search and add. */
export function ownTypes(
  nodes: readonly OwnNode[] = useOwnNodes.getState().nodes,
  catalogue: Catalogue = currentCatalogue(),
): readonly NodeType[] {
  if (made?.nodes !== nodes || made.catalogue !== catalogue)
    made = { nodes, catalogue, types: nodes.flatMap((own) => typeOfOwn(own, catalogue) ?? []) };
  return made.types;
}

function typeOfOwn({ name, workflow }: OwnNode, catalogue: Catalogue): NodeType | undefined {
  const type = subgraphType(`subgraph/${subgraphOfOwn(workflow) ?? ""}`, {
    graph: workflow,
    workflow,
    catalogue,
  });
  return (
    type && {
      ...type,
      id: `own/${name}`,
      title: name,
      category: t("ownNodes"),
      description: workflow.description ?? "",
      own: workflow,
    }
  );
}
