import { useState } from "react";
import { t } from "@/strings";
import { clearLog, useLog } from "./log";
import { FailureDetails } from "./FailureDetails";
import { Shell } from "./Shell";

/** What the server told, the newest first. */
export default function LogPanel() {
  const lines = useLog((state) => state.lines);
  const [only, setOnly] = useState(false);
  const shown = lines.filter(({ problem }) => problem || !only).reverse();
  return (
    <Shell empty={shown.length === 0}>
      <div className="row">
        <label className="row grow">
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
          {t("logOnlyProblems")}
        </label>
        <button onClick={clearLog}>{t("logClear")}</button>
      </div>
      <ol className="log" reversed>
        {shown.map(({ id, time, text, problem, failed }) => (
          <li key={id} className={problem ? "panel-problem" : ""}>
            <time className="quiet">{new Date(time).toLocaleTimeString()}</time> {text}
            {failed && <FailureDetails failed={failed} />}
          </li>
        ))}
      </ol>
    </Shell>
  );
}
