import { Suspense, type ReactNode } from "react";
import { t } from "@/strings";
import { Boundary } from "./Boundary";
import { Failed } from "./Failed";
import { togglePanel, usePanels, type Panel } from "./panels";

type Side = Panel["side"];

/** The buttons of the panels of one side, and the one that is open. */
export function SidePanels({ side, children }: { side: Side; children?: ReactNode }) {
  const panels = usePanels((state) => state.panels).filter((panel) => panel.side === side);
  const open = usePanels((state) => state.open[side]);
  if (panels.length === 0) return null;
  const shown = panels.find((panel) => panel.id === open);
  return (
    <div className={`side side-${side}`} data-region={side}>
      <nav className="side-bar" aria-label={t(side === "left" ? "leftPanels" : "rightPanels")}>
        {panels.map(({ id, title, icon: Icon }) => (
          <button
            key={id}
            aria-label={t(title)}
            title={t(title)}
            aria-pressed={id === open}
            onClick={() => togglePanel(id)}
          >
            <Icon />
          </button>
        ))}
        {children}
      </nav>
      {shown && <PanelBody panel={shown} />}
    </div>
  );
}

function PanelBody({ panel: { id, title, body: Body } }: { panel: Panel }) {
  return (
    <section className="panel" aria-label={t(title)}>
      <header>
        <h2>{t(title)}</h2>
        <button aria-label={t("close")} onClick={() => togglePanel(id)}>
          ×
        </button>
      </header>
      <Boundary subject={id} fallback={(error) => <Failed what={t("failedPanel")} error={error} />}>
        <Suspense fallback={null}>
          <Body />
        </Suspense>
      </Boundary>
    </section>
  );
}
