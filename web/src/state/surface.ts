/** What is open over the canvas, and the wire that is being drawn. */
import { flushSync } from "react-dom";
import { create } from "zustand";
import type { Point } from "@/model/document";

/** One end of a wire. */
export interface End {
  readonly node: string;
  readonly socket: string;
  readonly side: "input" | "output";
  /** The reroute that an output is taken from. */
  readonly via?: string;
}

export interface SearchRequest {
  /** Where on the canvas the node goes. */
  readonly at: Point;
  /** Only nodes that this end fits. */
  readonly from?: End;
  /** Replace this node instead. */
  readonly swap?: string;
}

export interface MenuRequest {
  readonly x: number;
  readonly y: number;
  readonly target: { readonly kind: "canvas" | "card" | "frame" | "reroute" | "wire"; readonly id: string };
  readonly at: Point;
}

interface Surface {
  search: SearchRequest | undefined;
  menu: MenuRequest | undefined;
  /** Sockets of one node: those they may be wired to are listed. */
  connect: readonly End[] | undefined;
  drawing: End | undefined;
  /** The input that the drawn wire is being pulled out of; it is drawn from its output then. */
  pulled: End | undefined;
}

export const useSurface = create<Surface>(() => ({
  search: undefined,
  menu: undefined,
  connect: undefined,
  drawing: undefined,
  pulled: undefined,
}));

/** Open something, and have its field focused before the next key comes. */
const open = (request: Partial<Surface>) => flushSync(() => useSurface.setState(request));

export const openSearch = (search: SearchRequest) => open({ search, menu: undefined });
export const openMenu = (menu: MenuRequest) => useSurface.setState({ menu });
export const openConnect = (connect: readonly End[]) => open({ connect });
export const closeSurface = () =>
  useSurface.setState({ search: undefined, menu: undefined, connect: undefined });
