import { create } from "zustand";
import type { ComponentType } from "react";
import { nodesOf } from "@/model/document";
import { graphOf, tabOf, useDocuments } from "@/state/documents";
import type { StringKey } from "@/strings";
import { forOneSide, isPhone } from "./room";

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

const NONE = { left: undefined, right: undefined };

export function togglePanel(id: string): void {
  usePanels.setState(({ panels, open }) => {
    const panel = panels.find((candidate) => candidate.id === id);
    if (panel === undefined) return {};
    const now = open[panel.side] === id ? undefined : id;
    const others = now !== undefined && forOneSide().matches ? NONE : open;
    return { open: { ...others, [panel.side]: now } };
  });
}

/** Keep to one side where the window becomes narrow, and show what was put on a canvas that a panel covers. */
export function watchRoom(): () => void {
  const narrow = forOneSide();
  const keepOne = () => {
    const { left, right } = usePanels.getState().open;
    if (narrow.matches && left !== undefined && right !== undefined)
      usePanels.setState({ open: { ...NONE, right } });
  };
  narrow.addEventListener("change", keepOne);
  const stop = useDocuments.subscribe((state, before) => {
    if (isPhone() && shownNodes(state) !== shownNodes(before)) usePanels.setState({ open: NONE });
  });
  return () => {
    narrow.removeEventListener("change", keepOne);
    stop();
  };
}

/** What changes when nodes come or go, and not while they are edited. */
function shownNodes(state: Parameters<typeof tabOf>[0]): string {
  const tab = tabOf(state);
  return [tab.key, ...Object.keys(nodesOf(graphOf(tab)))].join("\n");
}
