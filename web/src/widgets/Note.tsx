import { useCallback, useEffect, useState } from "react";
import { announce } from "@/state/announcer";

const SHOWN_MS = 5000;

/** A word at a field about what became of what was typed: shown for a moment, and read out. */
export function useNote(): readonly [string | undefined, (text: string | undefined) => void] {
  const [note, setNote] = useState<string>();
  useEffect(() => {
    if (note === undefined) return;
    const timer = setTimeout(() => setNote(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [note]);
  const tell = useCallback((text: string | undefined) => {
    setNote(text);
    if (text !== undefined) announce(text);
  }, []);
  return [note, tell];
}

export function Note({ text }: { text: string | undefined }) {
  return text === undefined ? null : <span className="field-note">{text}</span>;
}
