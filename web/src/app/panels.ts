import { create } from "zustand";
import type { ComponentType } from "react";
import type { StringKey } from "@/strings";

export interface Panel {
  readonly id: string;
  readonly title: StringKey;
  /** One letter or sign for the bar. */
  readonly icon: ComponentType;
  readonly side: "left" | "right";
  /** Loaded when first opened: pass `lazy(() => import(...))`. */
  readonly body: ComponentType;
  /** Key that opens it, such as `Q`. */
  readonly key?: string;
}

interface Panels {
  readonly panels: readonly Panel[];
  readonly open: Readonly<Record<Panel["side"], string | undefined>>;
}

/** The panels that modules have registered, and which of them are open. */
export const usePanels = create<Panels>(() => ({ panels: [], open: { left: undefined, right: undefined } }));

/** Add a panel to the bar of its side. */
export function registerPanel(panel: Panel): void {
  usePanels.setState(({ panels }) => ({
    panels: [...panels.filter((other) => other.id !== panel.id), panel],
  }));
}

export function togglePanel(id: string): void {
  usePanels.setState(({ panels, open }) => {
    const panel = panels.find((candidate) => candidate.id === id);
    if (panel === undefined) return {};
    const now = open[panel.side] === id ? undefined : id;
    return { open: { ...open, [panel.side]: now } };
  });
}
