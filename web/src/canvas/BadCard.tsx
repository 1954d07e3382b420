import { CopyDetails } from "@/app/Failed";
import type { NodeEntry } from "@/model/document";
import { t } from "@/strings";

/** A node whose card cannot be drawn: it can be moved, changed by undo, and deleted. */
export function BadCard({ id, entry, error }: { id: string; entry: NodeEntry; error: unknown }) {
  return (
    <article className="card missing" data-node={id}>
      <header className="card-header">
        <h2 className="card-title">{id}</h2>
      </header>
      <div className="bad-card" role="alert">
        <p>
          {t("badCard", { type: entry.type, why: error instanceof Error ? error.message : String(error) })}
        </p>
        <CopyDetails error={error} />
      </div>
    </article>
  );
}
