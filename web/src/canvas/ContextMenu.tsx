import { useReactFlow } from "@xyflow/react";
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent } from "react";
import { closeSurface, useSurface, type MenuRequest } from "@/state/surface";
import { t } from "@/strings";
import { focusCanvas, focusNode } from "./focus";
import { menuEntries, type MenuEntry } from "./menus";

/** What may be done with what was clicked. */
export function ContextMenu() {
  const request = useSurface((surface) => surface.menu);
  return request && <Menu key={`${request.x} ${request.y}`} request={request} />;
}

function Menu({ request }: { request: MenuRequest }) {
  const flow = useReactFlow();
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    keepInside(list.current);
    list.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }, []);
  useEffect(() => {
    const leave = (event: PointerEvent) => {
      if (!list.current?.contains(event.target as Node)) closeSurface();
    };
    document.addEventListener("pointerdown", leave, true);
    return () => document.removeEventListener("pointerdown", leave, true);
  }, []);
  const close = () => {
    closeSurface();
    if (request.target.kind === "card") focusNode(request.target.id);
    else focusCanvas();
  };
  const choose = ({ run, why }: MenuEntry) => {
    if (why !== undefined) return;
    close();
    run();
  };
  return (
    <div
      ref={list}
      className="menu"
      role="menu"
      tabIndex={-1}
      aria-label={t("menu")}
      style={{ left: request.x, top: request.y }}
      onKeyDown={(event) => moveInMenu(event, list.current, close)}
      onContextMenu={(event) => event.preventDefault()}
    >
      {menuEntries(request, flow).map((entry) => (
        <button
          key={entry.label}
          role="menuitem"
          tabIndex={-1}
          className={entry.starts ? "after-line" : ""}
          aria-disabled={entry.why !== undefined}
          onClick={() => choose(entry)}
        >
          {entry.swatch && <span className="dot" style={{ background: entry.swatch }} />}
          <span>
            {entry.label}
            {entry.why !== undefined && <span className="why">{entry.why}</span>}
          </span>
          {entry.keys && <kbd>{entry.keys}</kbd>}
        </button>
      ))}
    </div>
  );
}

function keepInside(menu: HTMLElement | null): void {
  if (menu === null) return;
  const { right, bottom, left, top, height } = menu.getBoundingClientRect();
  if (right > innerWidth) menu.style.left = `${left - (right - innerWidth) - 8}px`;
  if (bottom > innerHeight)
    menu.style.top = `${Math.max(8, top - Math.min(height, bottom - innerHeight + 8))}px`;
}

function moveInMenu(event: KeyboardEvent, menu: HTMLElement | null, close: () => void): void {
  event.stopPropagation();
  if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    return close();
  }
  const items = [...(menu?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const next = moves[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length)?.focus();
}
