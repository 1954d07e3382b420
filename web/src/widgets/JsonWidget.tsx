import { useState } from "react";
import { parseJson, writeJson } from "@/model/json";
import type { WidgetProps } from "./registry";

/** A list or record as JSON; plain words separated by commas are a list of texts. */
export function JsonWidget({ controlId, value, onChange }: WidgetProps) {
  const [draft, setDraft] = useState<string>();
  const finish = () => {
    if (draft !== undefined) onChange(read(draft));
    setDraft(undefined);
  };
  const text = writeJson(value);
  return (
    <input
      id={controlId}
      type="text"
      spellCheck={false}
      title={text}
      value={draft ?? text}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={finish}
      onKeyDown={(event) => event.key === "Enter" && finish()}
    />
  );
}

function read(text: string) {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text.split(",").map((word) => word.trim());
  }
}
