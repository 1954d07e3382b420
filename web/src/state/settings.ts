import { create } from "zustand";
import { persist } from "zustand/middleware";
import { isRecord, settingsStorage } from "./browserStores";

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

const STANDARD: Settings = { theme: "system", snap: true, minimap: true, runOnChange: false, batchCount: 1 };
const THEMES: readonly unknown[] = ["system", "dark", "light"] satisfies Theme[];
export const MOST_RUNS = 999;

/** The settings that were kept, as far as they are ones: others may have written there. */
export function readSettings(kept: unknown): Settings {
  if (!isRecord(kept)) return STANDARD;
  const right = Object.entries(kept).filter(([name, value]) => isSetting(name, value));
  return { ...STANDARD, ...(Object.fromEntries(right) as Partial<Settings>) };
}

function isSetting(name: string, value: unknown): boolean {
  if (name === "theme") return THEMES.includes(value);
  if (name === "batchCount")
    return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_RUNS;
  return name in STANDARD && typeof value === "boolean";
}

const mergeSettings = (kept: unknown, now: SettingsStore): SettingsStore => ({
  ...now,
  ...readSettings(kept),
});

/** What a person prefers; kept in this browser. */
export const useSettings = create<SettingsStore>()(
  persist(
    (set) => ({
      ...STANDARD,
      set: (changes) => set(changes),
    }),
    { name: "nodegraph.settings", version: 1, storage: settingsStorage(), merge: mergeSettings },
  ),
);
