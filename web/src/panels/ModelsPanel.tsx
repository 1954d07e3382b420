import { useState } from "react";
import { getModels, modelPicture } from "@/api/client";
import { lookUp } from "@/model/document";
import { loadPictured, useCatalogue } from "@/state/catalogue";
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
        <Folder key={folder} folder={folder} names={names} />
      ))}
    </Shell>
  );
}

function Folder({ folder, names }: { folder: string; names: readonly string[] }) {
  const pictured = useCatalogue((state) => lookUp(state.pictured, folder));
  return (
    <details
      open={names.length > 0 && names.length <= 20}
      className="category"
      onToggle={(event) => event.currentTarget.open && void loadPictured(folder)}
    >
      <summary>{t("modelCount", { folder, count: names.length })}</summary>
      <ul className="panel-list plain models">
        {names.map((name) => (
          <li key={name}>
            {pictured?.has(name) && <img src={modelPicture(folder, name)} alt="" loading="lazy" />}
            <span className="grow file-name">{name}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
