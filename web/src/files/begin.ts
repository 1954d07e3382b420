/** What the editor does with files from the moment it opens. */
import { registerCommands, type Command } from "@/app/commands";
import { watchEvents } from "@/state/connection";
import { useDocuments } from "@/state/documents";
import { noteRuns, resumeRuns } from "@/state/resume";
import { readSweeps } from "@/state/sweeps";
import { startAutosave } from "./autosave";
import { reopen } from "./closing";
import { chooseFiles, watchDrops } from "./opening";
import { askName, checkPlaces, save, watchSaves } from "./saving";

/** @param restored what was closed before is known from then on. */
const commands = (restored: Promise<unknown>): readonly Command[] => [
  { id: "save", label: "keySave", keys: ["Ctrl+S"], where: "everywhere", run: () => void save() },
  { id: "saveAs", label: "keySaveAs", keys: ["Ctrl+Shift+S"], where: "everywhere", run: askName },
  {
    id: "reopen",
    label: "keyReopen",
    keys: ["Alt+Shift+T"],
    where: "everywhere",
    run: () => void restored.then(() => reopen()),
  },
  { id: "open", label: "keyOpen", keys: ["Ctrl+O"], where: "everywhere", run: chooseFiles },
];

/** Restore what was open, follow its runs again, and keep everything from then on. */
export function beginFiles(): () => void {
  const restored = startAutosave();
  const stops = [watchDrops(), watchSaves(), registerCommands(commands(restored))];
  let over = false;
  const add = (stop: () => void) => (over ? stop() : stops.push(stop));
  const begin = async () => {
    let after: number | undefined;
    try {
      add(await restored);
      const tabs = useDocuments.getState().tabs.map(({ key }) => key);
      readSweeps(tabs);
      after = await resumeRuns(tabs);
    } finally {
      add(noteRuns());
      if (!over) add(watchEvents(after)); // runs do not depend on what was kept
    }
    void checkPlaces();
  };
  void begin();
  return () => {
    over = true;
    for (const stop of stops) stop();
  };
}
