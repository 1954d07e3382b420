/** The door for text from outside: this project's is read here, all else by the server. */
import { importWorkflow } from "@/api/documents";
import { BadDocument, readText, readWorkflow, type Read } from "@/model/reading";
import { t } from "@/strings";

/** A workflow from outside. */
export interface Arrival extends Read {
  /** What other formats have and this one has no place for, in words. */
  readonly lost: readonly string[];
  /** It was in another format. */
  readonly translated?: boolean;
}

/** The workflow in a file: this project's or ComfyUI's, JSON or a picture. */
export async function arrivalIn(file: Blob): Promise<Arrival> {
  const { workflow, issues, source } = await importWorkflow(file);
  const lost = issues.filter(({ code }) => code === "not_mapped");
  const words = lost.map(({ node, message }) => (node ? t("saidOf", { name: node, why: message }) : message));
  return { ...readWorkflow(workflow), lost: words, translated: source !== "nodegraph" };
}

/** The workflow in a text. What is not read here the server may know, or it says best what is wrong. */
export async function arrivalOf(text: string): Promise<Arrival> {
  try {
    return { ...readText(text), lost: [] };
  } catch (error) {
    if (!(error instanceof BadDocument)) throw error;
    return arrivalIn(new Blob([text]));
  }
}

/** What is to be told of a workflow that came in, one by one. */
export const notesOf = ({ dropped, lost }: Arrival): string[] => [
  ...lost,
  ...dropped.map((fault) => t("droppedLook", { fault })),
];
