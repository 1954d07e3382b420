import { create } from "zustand";

/** What a message offers to do. */
export interface Offer {
  readonly label: string;
  readonly run: () => void;
}

interface Message {
  /** Another with every message, so that the same text is read twice. */
  readonly count: number;
  readonly text: string;
  readonly offer?: Offer | undefined;
  /** What it is about, one by one. */
  readonly list?: readonly string[] | undefined;
}

interface Announcer {
  /** Only read out. */
  readonly said: Message;
  /** Also shown: what the screen does not tell by itself. */
  readonly told: Message;
}

const SILENCE: Message = { count: 0, text: "" };

export const useAnnouncer = create<Announcer>(() => ({ said: SILENCE, told: SILENCE }));

/** Tell a screen reader what everybody else sees anyway. */
export function announce(text: string): void {
  useAnnouncer.setState(({ said }) => ({ said: { count: said.count + 1, text } }));
}

/** Tell everybody, for a moment. */
export function tell(text: string, offer?: Offer, list?: readonly string[]): void {
  useAnnouncer.setState(({ told }) => ({ told: { count: told.count + 1, text, offer, list } }));
}

/** What was told is no longer of use. */
export function hush(): void {
  tell("");
}
