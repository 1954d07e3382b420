import { useEffect, useState, type ReactNode } from "react";
import { hush, useAnnouncer, type Offer } from "@/state/announcer";

const SAID_MS = 4000;
/** Long enough to find the button. */
const OFFERED_MS = 12_000;

/** Reads out what happened, and shows it for a moment. */
export function Announcer() {
  const { said, told } = useAnnouncer();
  return (
    <div className="announcer" role="status" aria-live="polite">
      {said.text !== "" && (
        <Passing key={`said ${said.count}`} className="visually-hidden" milliseconds={SAID_MS}>
          {said.text}
        </Passing>
      )}
      {told.text !== "" && (
        <Passing
          key={`told ${told.count}`}
          className="message"
          milliseconds={told.offer ? OFFERED_MS : SAID_MS}
        >
          {told.text}
          {told.offer && <OfferButton {...told.offer} />}
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
    <p
      className={className}
      onPointerEnter={hold(true)}
      onPointerLeave={hold(false)}
      onFocus={hold(true)}
      onBlur={hold(false)}
    >
      {children}
    </p>
  );
}

function OfferButton({ label, run }: Offer) {
  const take = () => {
    hush();
    run();
  };
  return <button onClick={take}>{label}</button>;
}
