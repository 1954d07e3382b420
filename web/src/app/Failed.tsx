import type { ReactNode } from "react";
import { exportJson } from "@/files/exporting";
import { closeTab, currentTab, useTab } from "@/state/documents";
import { t } from "@/strings";
import { Boundary } from "./Boundary";
import { leaveOut } from "@/files/autosave";

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const detailsOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : "");

export function CopyDetails({ error }: { error: unknown }) {
  return (
    <button
      className="nodrag"
      onClick={() => void navigator.clipboard.writeText(detailsOf(error) || reasonOf(error))}
    >
      {t("copyDetails")}
    </button>
  );
}

/** What could not be drawn, and why; `children` are the ways on. */
export function Failed({ what, error, children }: { what: string; error: unknown; children?: ReactNode }) {
  return (
    <div className="not-drawn" role="alert">
      <p>{what}</p>
      <p className="quiet">{reasonOf(error)}</p>
      <p className="choices">
        {children}
        <CopyDetails error={error} />
      </p>
    </div>
  );
}

/** Around the canvas: tabs and panels stay, and undo or another tab draws again. */
export function CanvasBoundary({ children }: { children: ReactNode }) {
  const tab = useTab((shown) => shown);
  const subject = useTab((shown) => shown.history);
  return (
    <Boundary
      subject={subject}
      fallback={(error) => (
        <Failed what={t("failedCanvas")} error={error}>
          <button onClick={() => closeTab(tab.key)}>{t("leaveTabOut")}</button>
          <button onClick={exportJson}>{t("exportJson")}</button>
        </Failed>
      )}
    >
      {children}
    </Boundary>
  );
}

/** Around everything: whatever happens, there is a way to go on, and to the work itself. */
export function AppBoundary({ children }: { children: ReactNode }) {
  return (
    <Boundary
      subject={children}
      fallback={(error) => (
        <Failed what={t("failedApp")} error={error}>
          <button onClick={() => location.reload()}>{t("loadAnew")}</button>
          <button onClick={() => void leaveOut(currentTab())}>{t("leaveTabOut")}</button>
          <button onClick={exportJson}>{t("exportJson")}</button>
        </Failed>
      )}
    >
      {children}
    </Boundary>
  );
}
