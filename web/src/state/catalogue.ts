import { create } from "zustand";
import { getModels } from "@/api/client";
import { json } from "@/api/http";
import type { components } from "@/api/types";
import type { BodyInputs } from "@/model/bodies";
import { bodyInputsOf, NO_CATALOGUE, readNodeType, type Catalogue, type NodeType } from "./nodeTypes";

interface CatalogueStore {
  status: "loading" | "ready" | "failed";
  catalogue: Catalogue;
  /** Names of files that nodes can name, by folder. */
  folders: Readonly<Record<string, readonly string[]>>;
  problem: string;
}

/** What the server offers: node types, and the files they can name. */
export const useCatalogue = create<CatalogueStore>(() => ({
  status: "loading",
  catalogue: NO_CATALOGUE,
  folders: {},
  problem: "",
}));

/** Read the catalogue; what was there stays if the server does not answer. */
export async function loadCatalogue(): Promise<void> {
  try {
    const [told] = await Promise.all([json<components["schemas"]["CatalogueView"]>("/nodes"), loadFolders()]);
    const nodes = Object.fromEntries(
      Object.entries(told.nodes).map(([id, view]) => [id, readNodeType(view)]),
    );
    const catalogue = { nodes, bases: told.types };
    useCatalogue.setState({ status: "ready", catalogue, problem: "" });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    useCatalogue.setState(({ status }) => ({ status: status === "ready" ? status : "failed", problem }));
  }
}

/** Read again which files nodes can name, as after an upload. */
export async function loadFolders(): Promise<void> {
  const { folders } = await getModels();
  useCatalogue.setState({ folders });
}

/** The catalogue, once the server told it; an empty one if it cannot. */
export async function catalogueThere(): Promise<Catalogue> {
  if (useCatalogue.getState().status === "loading")
    await new Promise<void>((resolve) => {
      const stop = useCatalogue.subscribe(({ status }) => {
        if (status === "loading") return;
        stop();
        resolve();
      });
    });
  return currentCatalogue();
}

export const currentCatalogue = (): Catalogue => useCatalogue.getState().catalogue;

/** What the catalogue knows now of inputs that name subgraphs. */
export const bodyInputs: BodyInputs = (type) => bodyInputsOf(currentCatalogue(), type);

export function allTypes(): readonly NodeType[] {
  return Object.values(currentCatalogue().nodes);
}
