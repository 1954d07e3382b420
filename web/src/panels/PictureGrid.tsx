import { useState } from "react";
import { t } from "@/strings";
import type { Picture } from "./outputs";
import { Viewer } from "./Viewer";

/** Small pictures; one that is chosen is shown large, and may be compared with all `among` which it is. */
export function PictureGrid({
  pictures,
  among = pictures,
}: {
  pictures: readonly Picture[];
  among?: readonly Picture[];
}) {
  const [chosen, choose] = useState<number>();
  if (pictures.length === 0) return null;
  return (
    <>
      <div className="picture-grid">
        {pictures.map(({ file }, index) => (
          <button
            key={`${file.url} ${index}`}
            aria-label={t("view", { name: file.name })}
            onClick={() => choose(among.findIndex((one) => one.file.url === file.url))}
          >
            <img src={file.url} alt="" loading="lazy" />
          </button>
        ))}
      </div>
      {chosen !== undefined && <Viewer pictures={among} first={chosen} onClose={() => choose(undefined)} />}
    </>
  );
}
