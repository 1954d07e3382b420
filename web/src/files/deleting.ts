/** Deleting saved workflows. */
import { deleteSaved, readSaved, writeSaved } from "@/api/library";
import { ApiError } from "@/api/problems";
import type { Workflow } from "@/model/document";
import { BadDocument, readText } from "@/model/reading";
import { tell } from "@/state/announcer";
import { markUnsaved } from "@/state/documents";
import { t } from "@/strings";
import { forgetPlace, noteEtag } from "./places";
import { telling } from "./telling";

/** Delete a saved workflow and offer to put it back; where it is open it is so still, as something unsaved. */
export function remove(place: string): Promise<void> {
  return telling(async () => {
    const workflow = await readable(place);
    markUnsaved(place); // now, so that the server's news of it is none
    await deleteSaved(place);
    forgetPlace(place);
    const offer = workflow && { label: t("undo"), run: () => void putBack(place, workflow) };
    tell(t("saidDeleted", { name: place }), offer);
  });
}

function putBack(place: string, workflow: Workflow): Promise<void> {
  return telling(async () => {
    const { etag } = await writeSaved(place, workflow, "new");
    noteEtag(place, etag);
  });
}

/** What cannot be read can be deleted all the same, but not put back. */
async function readable(place: string): Promise<Workflow | undefined> {
  try {
    return readText((await readSaved(place)).text).workflow;
  } catch (error) {
    if (error instanceof ApiError || error instanceof BadDocument) return undefined;
    throw error;
  }
}
