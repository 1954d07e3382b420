import { create } from "zustand";

interface Announcer {
  /** Changes with every message, so that the same text is read twice. */
  count: number;
  text: string;
}

/** What a screen reader is told. */
export const useAnnouncer = create<Announcer>(() => ({ count: 0, text: "" }));

/** Tell a screen reader, and show it for a moment. */
export function announce(text: string): void {
  useAnnouncer.setState(({ count }) => ({ count: count + 1, text }));
}
