import { useState } from "react";
import { getModels } from "@/api/client";
import { t } from "@/strings";
import { Filter, Shell } from "./Shell";
import { useLoaded } from "./useLoaded";

/** The files that nodes can name, by folder. */
export default function ModelsPanel() {
  const { value, problem, reload } = useLoaded(getModels);
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const folders = Object.entries(value?.folders ?? {}).map(
    ([folder, names]) => [folder, names.filter((name) => name.toLowerCase().includes(wanted))] as const,
  );
  return (
    <Shell problem={problem} loading={value === undefined} onRetry={reload}>
      <Filter value={words} onChange={setWords} />
      {folders.map(([folder, names]) => (
        <details key={folder} open={names.length > 0 && names.length <= 20} className="category">
          <summary>{t("modelCount", { folder, count: names.length })}</summary>
          <ul className="panel-list plain">
            {names.map((name) => (
              <li key={name}>
                <span className="grow file-name">{name}</span>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </Shell>
  );
}
