import { useEffect } from "react";
import { listSaved } from "@/api/library";
import { remove } from "@/files/deleting";
import { openSaved } from "@/files/opening";
import { onServerEvent } from "@/state/connection";
import { isOwnPlace, useOwnNodes } from "@/state/ownNodes";
import { t } from "@/strings";
import { Shell } from "./Shell";
import { useLoaded } from "./useLoaded";

/** The workflows saved on the server. */
export default function SavedPanel() {
  const { value, problem, reload } = useLoaded(listSaved);
  useEffect(
    () =>
      onServerEvent(({ type }) => ["workflow_saved", "workflow_deleted", "gap"].includes(type) && reload()),
    [reload],
  );
  const own = useOwnNodes((state) => state.nodes); // they are in the library of nodes
  const workflows = value?.filter(({ path }) => !isOwnPlace(path, own));
  return (
    <Shell problem={problem} loading={value === undefined} empty={workflows?.length === 0} onRetry={reload}>
      <ul className="panel-list">
        {workflows?.map(({ path, modified }) => (
          <li key={path}>
            <button className="grow" onClick={() => void openSaved(path)}>
              {path}
            </button>
            <time className="quiet" dateTime={new Date(modified * 1000).toISOString()}>
              {new Date(modified * 1000).toLocaleDateString()}
            </time>
            <button
              aria-label={t("deleteSaved", { name: path })}
              onClick={() => void remove(path).then(reload)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </Shell>
  );
}
