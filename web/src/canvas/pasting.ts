/** Pasting: nodes that were copied here, or a workflow of any format that a text holds. */
import { arrivalOf, notesOf } from "@/files/door";
import { placed } from "@/files/placing";
import { failureOf } from "@/files/telling";
import { clippingOf, paste, readClipping, type Clipping } from "@/model/clipboard";
import type { Point } from "@/model/document";
import { BadDocument, parsed } from "@/model/reading";
import { announce, tell } from "@/state/announcer";
import { bodyInputs } from "@/state/catalogue";
import { currentTab, currentWorkflow, editWorkflow, scopeOf, select } from "@/state/documents";
import { t } from "@/strings";
import { freeCorner } from "./freeCorner";

/** Text that means to be JSON; any other holds no nodes. */
const LIKE_JSON = /^\s*[{[]/;

/** Paste what a text holds, or say why it cannot be. */
export async function pasteText(text: string, at?: Point, withOuterLinks = false): Promise<void> {
  if (text.trim() === "") return;
  if (!LIKE_JSON.test(text)) return tell(t("saidNoNodes"));
  try {
    const copied = readClipping(parsedOrNothing(text));
    if (copied)
      return insert(
        copied.clipping,
        copied.dropped.map((fault) => t("droppedLook", { fault })),
        at,
        withOuterLinks,
      );
    const arrival = await arrivalOf(text);
    insert(clippingOf(await placed(arrival.workflow)), notesOf(arrival), at);
  } catch (error) {
    tell(failureOf(error, t("clipboard")));
  }
}

function parsedOrNothing(text: string): unknown {
  try {
    return parsed(text);
  } catch (error) {
    if (error instanceof BadDocument) return undefined;
    throw error;
  }
}

function insert(clipping: Clipping, notes: readonly string[], at?: Point, withOuterLinks = false): void {
  const options = { at: freeCorner(clipping, at), withOuterLinks, bodyInputs };
  const pasted = paste(currentWorkflow(), scopeOf(currentTab()), clipping, options);
  editWorkflow({ name: t("stepPaste") }, () => pasted.workflow);
  select(pasted.ids);
  if (notes.length > 0) tell(t("saidLeftOut", { count: notes.length }), undefined, notes);
  else announce(t("saidPasted", { count: pasted.ids.length }));
}
