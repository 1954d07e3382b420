import { useEffect, useState, type ReactNode } from "react";
import { hush, useAnnouncer, type Offer } from "@/state/announcer";
import { t } from "@/strings";

const SAID_MS = 4000;
/** Long enough to find the button. */
const OFFERED_MS = 12_000;
/** Long enough to read a list and to look at what it names. */
const LISTED_MS = 60_000;

/** Reads out what happened, and shows it for a moment. */
export function Announcer() {
  const { said, told } = useAnnouncer();
  return (
    <div className="announcer" role="status" aria-live="polite">
      {said.text !== "" && (
        <Passing key={`said ${said.count}`} className="visually-hidden" milliseconds={SAID_MS}>
          <p>{said.text}</p>
        </Passing>
      )}
      {told.text !== "" && (
        <Passing
          key={`told ${told.count}`}
          className={told.list ? "message listed" : "message"}
          milliseconds={told.list ? LISTED_MS : told.offer ? OFFERED_MS : SAID_MS}
        >
          <p>{told.text}</p>
          {told.list && <Listed items={told.list} />}
          {told.offer && <OfferButton {...told.offer} />}
          {told.list && <OfferButton label={t("close")} run={hush} />}
        </Passing>
      )}
    </div>
  );
}

/** Goes after a while, unless the pointer or the focus is in it. */
function Passing(props: { className: string; milliseconds: number; children: ReactNode }) {
  const { className, milliseconds, children } = props;
  const [over, setOver] = useState(false);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => setOver(true), milliseconds);
    return () => clearTimeout(timer);
  }, [held, milliseconds]);
  if (over) return null;
  const hold = (now: boolean) => () => setHeld(now);
  return (
    <div
      className={className}
      onPointerEnter={hold(true)}
      onPointerLeave={hold(false)}
      onFocus={hold(true)}
      onBlur={hold(false)}
    >
      {children}
    </div>
  );
}

function Listed({ items }: { items: readonly string[] }) {
  return (
    <ul>
      {items.map((item, index) => (
        <li key={index}>{item}</li>
      ))}
    </ul>
  );
}

function OfferButton({ label, run }: Offer) {
  const take = () => {
    hush();
    run();
  };
  return <button onClick={take}>{label}</button>;
}
