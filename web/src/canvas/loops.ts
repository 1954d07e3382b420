/** Putting what is selected into a loop. */
import type { NodeEntry } from "@/model/document";
import { loopType, makeLoop, type Hindrance, type LoopType } from "@/model/makeLoop";
import { findExits, type Made } from "@/model/makeSubgraph";
import { allTypes, currentCatalogue } from "@/state/catalogue";
import { currentGraph, currentTab, currentWorkflow, editWorkflow, scopeOf, select } from "@/state/documents";
import { nodeTypeOf } from "@/state/nodeTypes";
import { t } from "@/strings";
import { selectedNodes } from "./actions";

/** A loop that the selected nodes may be put into, or why they may not. */
export interface LoopChoice {
  readonly label: string;
  readonly run: () => void;
  readonly why?: string;
}

export function loopChoices(): LoopChoice[] {
  const loops = allTypes().flatMap((type) => {
    const loop = loopType(type);
    const label = t(loop?.overList ? "menuForEach" : loop?.feedsBack ? "menuRepeat" : "menuLoop", {
      title: type.title,
    });
    return loop ? [{ label, title: type.title, loop }] : [];
  });
  return loops.map(({ label, title, loop }) => {
    const isOnly = loops.filter((other) => other.label === label).length === 1;
    return { label: isOnly ? label : t("menuLoopOf", { label, title }), ...loopChoice(loop) };
  });
}

function loopChoice(loop: LoopType): Omit<LoopChoice, "label"> {
  const made = loopOfSelected(loop);
  if (typeof made === "string") return { why: whyNoLoop(made, loop), run: () => undefined };
  const run = () => {
    editWorkflow({ name: t("stepLoop") }, () => made.workflow);
    select([made.id]);
  };
  return { run };
}

function loopOfSelected(loop: LoopType): Made | Hindrance {
  const [workflow, scope] = [currentWorkflow(), scopeOf(currentTab())];
  const [graph, catalogue] = [currentGraph(), currentCatalogue()];
  const signatureOf = (id: string, entry: NodeEntry) => nodeTypeOf(id, entry, { graph, workflow, catalogue });
  const types = { signatureOf, bases: catalogue.bases };
  return makeLoop(workflow, scope, selectedNodes(), loop, t("bodyName"), types);
}

function whyNoLoop(hindrance: Hindrance, { feedsBack }: LoopType): string {
  if (hindrance === "circle") return t("saidCannotPack");
  if (hindrance === "noOutput") return t("noLoopOutput");
  if (hindrance === "nothingFits") return t(feedsBack ? "noLoopFeedback" : "noLoopInput");
  const exits = findExits(currentGraph(), new Set(selectedNodes())).map(({ source }) => source.join("."));
  return t("noLoopOutputs", { outputs: exits.join(", ") });
}
