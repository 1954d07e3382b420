import { cancel, run } from "@/state/running";
import { newWorkflow } from "@/state/documents";
import { focusCanvas } from "@/canvas/focus";
import type { Command } from "./commands";

/** Begin a workflow: the next key is for its canvas. */
export function beginWorkflow(): void {
  newWorkflow();
  focusCanvas();
}

export const appCommands: readonly Command[] = [
  { id: "run", label: "keyRun", keys: ["Ctrl+Enter"], where: "everywhere", run: () => void run() },
  {
    id: "cancel",
    label: "keyCancel",
    keys: ["Ctrl+Alt+Enter"],
    where: "everywhere",
    run: () => void cancel(),
  },
  { id: "new", label: "keyNew", keys: ["Alt+N"], where: "everywhere", run: beginWorkflow },
  { id: "region", label: "keyRegion", keys: ["F6"], where: "everywhere", run: () => goToRegion(1) },
  {
    id: "regionBack",
    label: "keyRegionBack",
    keys: ["Shift+F6"],
    where: "everywhere",
    run: () => goToRegion(-1),
  },
];

const FOCUSABLE = "button, input, select, textarea, [tabindex='0']";

/** Go on to the next part of the window: bars, canvas, panels. */
function goToRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")];
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  if (next?.tabIndex === 0) next.focus();
  else next?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}
