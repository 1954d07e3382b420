import { useEffect, useState } from "react";
import { useAnnouncer } from "@/state/announcer";

const SHOWN_MS = 4000;

/** Reads out what happened, and shows it for a moment. */
export function Announcer() {
  const { count, text, shown } = useAnnouncer();
  const [over, setOver] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setOver(count), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [count]);
  return (
    <div className="announcer" role="status" aria-live="polite">
      {text !== "" && over !== count && (
        <p key={count} className={shown ? "" : "visually-hidden"}>
          {text}
        </p>
      )}
    </div>
  );
}
