import { useRef, type KeyboardEvent } from "react";
import { focusCanvas } from "@/canvas/focus";
import { t, type StringKey } from "@/strings";
import { reopen } from "./closing";
import { exportAs, exportJson } from "./exporting";
import "./files.css";
import { chooseFiles } from "./opening";
import { askName, save } from "./saving";

interface Item {
  readonly label: StringKey;
  readonly key?: string;
  readonly run: () => void;
}

const ITEMS: readonly Item[] = [
  { label: "open", key: "Ctrl+O", run: chooseFiles },
  { label: "save", key: "Ctrl+S", run: () => void save() },
  { label: "saveAs", key: "Ctrl+Shift+S", run: askName },
  { label: "reopen", key: "Alt+Shift+T", run: () => reopen() },
  { label: "exportJson", run: exportJson },
  { label: "exportComfy", run: () => void exportAs("comfyui") },
  { label: "exportPython", run: () => void exportAs("python") },
];

/** Opening, saving and exporting the workflow in front. */
export function FileMenu() {
  const menu = useRef<HTMLDivElement>(null);
  const choose = (item: Item) => {
    menu.current?.hidePopover();
    focusCanvas(); // the keys of the canvas go on; a question that opens now gives the focus back there
    item.run();
  };
  return (
    <>
      <button popoverTarget="file-menu" aria-haspopup="menu">
        {t("file")}
      </button>
      <div
        id="file-menu"
        ref={menu}
        className="menu file-menu"
        popover="auto"
        role="menu"
        aria-label={t("file")}
        onToggle={(event) => event.newState === "open" && menuItems(menu.current)[0]?.focus()}
        onKeyDown={(event) => moveInMenu(event, menu.current)}
      >
        {ITEMS.map((item) => (
          <button key={item.label} role="menuitem" tabIndex={-1} onClick={() => choose(item)}>
            <span>{t(item.label)}</span>
            {item.key && <kbd>{item.key}</kbd>}
          </button>
        ))}
      </div>
    </>
  );
}

export function menuItems(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}

export function moveInMenu(event: KeyboardEvent, menu: HTMLElement | null): void {
  if (event.key === "Escape") {
    event.stopPropagation(); // it means this menu, and nothing on the canvas
    return menu?.hidePopover(); // the button has the focus again
  }
  const all = menuItems(menu);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const next = to[event.key];
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  all.at(next % all.length)?.focus();
}
