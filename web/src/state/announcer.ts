import { create } from "zustand";

interface Announcer {
  /** Changes with every message, so that the same text is read twice. */
  readonly count: number;
  readonly text: string;
  /** Whether it is also shown: what the screen does not tell by itself. */
  readonly shown: boolean;
}

export const useAnnouncer = create<Announcer>(() => ({ count: 0, text: "", shown: false }));

/** Tell a screen reader what everybody else sees anyway. */
export function announce(text: string): void {
  useAnnouncer.setState(({ count }) => ({ count: count + 1, text, shown: false }));
}

/** Tell everybody, for a moment. */
export function tell(text: string): void {
  useAnnouncer.setState(({ count }) => ({ count: count + 1, text, shown: true }));
}
