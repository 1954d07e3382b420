import { useEffect, useRef } from "react";
import { t } from "@/strings";

interface Props {
  value: string;
  /** Without a title: it stays as it is. */
  onDone: (title?: string) => void;
}

/** A field to rename something in place: Enter or leaving it keeps the text, Escape does not. */
export function TitleField({ value, onDone }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  return (
    <input
      ref={field}
      className="title-field nodrag"
      defaultValue={value}
      aria-label={t("rename")}
      onBlur={({ target }) => onDone(target.value === value ? undefined : target.value)}
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
