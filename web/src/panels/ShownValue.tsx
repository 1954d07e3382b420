import { lazy, Suspense } from "react";
import { t } from "@/strings";
import { textOf, type Shown, type Table } from "./outputs";

const SeriesChart = lazy(() => import("./SeriesChart"));

/** A value as a chart, a table or text. */
export function ShownValue({ shown }: { shown: Shown }) {
  if (shown.kind === "text") return <output className="result-text">{shown.text}</output>;
  if (shown.kind === "series")
    return (
      <Suspense fallback={<p className="quiet">{t("loading")}</p>}>
        <SeriesChart chart={shown} />
      </Suspense>
    );
  return <ValueTable table={shown} />;
}

function ValueTable({ table: { name, columns, rows, total } }: { table: Table }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={name}>
      <table className="result-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => (
                <td key={at}>{cell === null ? "" : textOf(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {total > rows.length && <p className="quiet">{t("rowsOf", { shown: rows.length, total })}</p>}
    </div>
  );
}
