/** The panels beside the canvas; each is loaded when it is first opened. */
import { lazy } from "react";
import { registerPanel, togglePanel, type Panel } from "@/app/panels";
import { registerCommands } from "@/app/commands";
import type { StringKey } from "@/strings";
import * as icons from "./icons";

const PANELS: readonly Panel[] = [
  {
    id: "nodes",
    title: "nodes",
    icon: icons.NodesIcon,
    side: "left",
    key: "L",
    body: lazy(() => import("./NodesPanel")),
  },
  {
    id: "templates",
    title: "templates",
    icon: icons.TemplatesIcon,
    side: "left",
    key: "T",
    body: lazy(() => import("./TemplatesPanel")),
  },
  {
    id: "saved",
    title: "saved",
    icon: icons.SavedIcon,
    side: "left",
    key: "W",
    body: lazy(() => import("./SavedPanel")),
  },
  {
    id: "models",
    title: "models",
    icon: icons.ModelsIcon,
    side: "left",
    key: "M",
    body: lazy(() => import("./ModelsPanel")),
  },
  {
    id: "settings",
    title: "settings",
    icon: icons.SettingsIcon,
    side: "left",
    body: lazy(() => import("./SettingsPanel")),
  },
  {
    id: "shortcuts",
    title: "shortcuts",
    icon: icons.ShortcutsIcon,
    side: "left",
    body: lazy(() => import("./ShortcutsPanel")),
  },
  {
    id: "queue",
    title: "queue",
    icon: icons.QueueIcon,
    side: "right",
    key: "Q",
    body: lazy(() => import("./QueuePanel")),
  },
  {
    id: "history",
    title: "history",
    icon: icons.HistoryIcon,
    side: "right",
    key: "H",
    body: lazy(() => import("./HistoryPanel")),
  },
  {
    id: "results",
    title: "results",
    icon: icons.ResultsIcon,
    side: "right",
    key: "R",
    body: lazy(() => import("./ResultsPanel")),
  },
  {
    id: "sweep",
    title: "sweep",
    icon: icons.SweepIcon,
    side: "right",
    key: "G",
    body: lazy(() => import("./SweepPanel")),
  },
  { id: "log", title: "log", icon: icons.LogIcon, side: "right", body: lazy(() => import("./LogPanel")) },
];

/** Put the panels in place, with a key for each that has one. */
export function registerPanels(): () => void {
  for (const panel of PANELS) registerPanel(panel);
  const keyed = PANELS.filter(({ key }) => key !== undefined);
  return registerCommands([
    ...keyed.map(({ id, title, key = "" }) => command(id, title, `Alt+${key}`)),
    command("shortcuts", "shortcuts", "?"),
  ]);
}

function command(id: string, label: StringKey, key: string) {
  const where = key.startsWith("Alt") ? ("everywhere" as const) : ("unlessTyping" as const);
  return { id: `panel-${id}`, label, keys: [key], where, run: () => togglePanel(id) };
}
