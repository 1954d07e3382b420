import type { ReactNode } from "react";
import { t } from "@/strings";
import "./panels.css";

/** What a panel shows while there is nothing to show, or instead of it. */
export function Shell({
  problem,
  loading = false,
  empty = false,
  onRetry,
  children,
}: {
  problem?: string | undefined;
  loading?: boolean;
  empty?: boolean;
  onRetry?: () => void;
  children: ReactNode;
}) {
  return (
    <div className="panel-body">
      {problem !== undefined && (
        <p className="panel-problem" role="alert">
          {problem} {onRetry && <button onClick={onRetry}>{t("again")}</button>}
        </p>
      )}
      {loading && problem === undefined && <p className="quiet">{t("loading")}</p>}
      {empty && !loading && problem === undefined && <p className="quiet">{t("nothingYet")}</p>}
      {children}
    </div>
  );
}

/** The search field of a panel. */
export function Filter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <input
      type="search"
      className="panel-filter"
      aria-label={t("filter")}
      placeholder={t("filter")}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
