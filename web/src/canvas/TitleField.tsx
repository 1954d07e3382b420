import { useEffect, useRef } from "react";
import { t } from "@/strings";

/** A field to rename something in place: Enter or leaving it keeps the text, Escape does not. */
export function TitleField({ value, onDone }: { value: string; onDone: (title: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  return (
    <input
      ref={field}
      className="title-field nodrag"
      defaultValue={value}
      aria-label={t("rename")}
      onBlur={(event) => onDone(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key !== "Escape") return;
        event.currentTarget.value = value;
        event.currentTarget.blur();
      }}
    />
  );
}
