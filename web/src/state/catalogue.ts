import { create } from "zustand";
import { getModelPictures, getModels } from "@/api/client";
import { json } from "@/api/http";
import { ApiError, Unreachable } from "@/api/problems";
import type { components } from "@/api/types";
import type { BodyInputs } from "@/model/bodies";
import { wordsOf } from "./words";
import { bodyInputsOf, NO_CATALOGUE, readNodeType, type Catalogue, type NodeType } from "./nodeTypes";

interface CatalogueStore {
  status: "loading" | "ready" | "failed";
  catalogue: Catalogue;
  /** Names of files that nodes can name, by folder. */
  folders: Readonly<Record<string, readonly string[]>>;
  /** Those of them that have a picture, for the folders that were looked into. */
  pictured: Readonly<Record<string, ReadonlySet<string>>>;
  problem: string;
}

/** What the server offers: node types, and the files they can name. */
export const useCatalogue = create<CatalogueStore>(() => ({
  status: "loading",
  catalogue: NO_CATALOGUE,
  folders: {},
  pictured: {},
  problem: "",
}));

/** Read the catalogue; what was there stays if the server does not answer. */
export async function loadCatalogue(): Promise<void> {
  useCatalogue.setState(({ status }) => ({ status: status === "failed" ? "loading" : status }));
  try {
    const [told] = await Promise.all([json<components["schemas"]["CatalogueView"]>("/nodes"), loadFolders()]);
    const nodes = Object.fromEntries(
      Object.entries(told.nodes).map(([id, view]) => [id, readNodeType(view)]),
    );
    const catalogue = { nodes, bases: told.types };
    useCatalogue.setState({ status: "ready", catalogue, problem: "" });
  } catch (error) {
    const isAnswer = error instanceof ApiError || error instanceof Unreachable;
    const problem = isAnswer ? wordsOf(error) : String(error); // such as data of another version
    useCatalogue.setState(({ status }) => ({ status: status === "ready" ? status : "failed", problem }));
  }
}

/** Read again which files nodes can name, as after an upload. */
export async function loadFolders(): Promise<void> {
  const { folders } = await getModels();
  useCatalogue.setState({ folders });
}

/** Read which models of a folder have a picture; what was known stays if the server does not answer. */
export async function loadPictured(folder: string): Promise<void> {
  try {
    const { names } = await getModelPictures(folder);
    useCatalogue.setState(({ pictured }) => ({ pictured: { ...pictured, [folder]: new Set(names) } }));
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Unreachable)) throw error; // the names do without
  }
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
