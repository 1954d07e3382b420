import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "dark" | "light";

export interface Settings {
  theme: Theme;
  snap: boolean;
  minimap: boolean;
  /** Run by itself after every change that matters. */
  runOnChange: boolean;
  /** How many runs one press of Run queues. */
  batchCount: number;
}

interface SettingsStore extends Settings {
  set: (changes: Partial<Settings>) => void;
}

/** What a person prefers; kept in this browser. */
export const useSettings = create<SettingsStore>()(
  persist(
    (set) => ({
      theme: "system",
      snap: true,
      minimap: true,
      runOnChange: false,
      batchCount: 1,
      set: (changes) => set(changes),
    }),
    { name: "nodegraph.settings", version: 1 },
  ),
);
