import { useState } from "react";
import { t } from "@/strings";
import type { Picture } from "./outputs";
import { Viewer } from "./Viewer";

/** Small pictures; one that is chosen is shown large. */
export function PictureGrid({ pictures }: { pictures: readonly Picture[] }) {
  const [chosen, choose] = useState<number>();
  if (pictures.length === 0) return null;
  return (
    <>
      <div className="picture-grid">
        {pictures.map(({ file }, index) => (
          <button
            key={`${file.url} ${index}`}
            aria-label={t("view", { name: file.name })}
            onClick={() => choose(index)}
          >
            <img src={file.url} alt="" loading="lazy" />
          </button>
        ))}
      </div>
      {chosen !== undefined && (
        <Viewer pictures={pictures} first={chosen} onClose={() => choose(undefined)} />
      )}
    </>
  );
}
