import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { t } from "@/strings";

export interface Choice {
  readonly key: string;
  readonly label: string;
  /** A quiet second part, such as the category. */
  readonly detail?: string;
  readonly picture?: string;
}

interface Props<T extends Choice> {
  label: string;
  /** The choices for what is typed, best first. */
  find: (words: string) => readonly T[];
  onPick: (choice: T) => void;
  onCancel: () => void;
  chosen?: string;
  /** What is shown beside the list about the choice that is marked. */
  about?: (choice: T) => ReactNode;
}

const MOST = 100;

/** A field and the choices that fit what is typed: arrows mark one, Enter takes it, Escape leaves. */
export function FilterList<T extends Choice>({ label, find, onPick, onCancel, chosen, about }: Props<T>) {
  const [words, setWords] = useState("");
  const choices = find(words).slice(0, MOST);
  const first = Math.max(
    0,
    choices.findIndex((choice) => choice.key === chosen),
  );
  const [moved, setMoved] = useState<number>();
  const marked = Math.min(moved ?? (words === "" ? first : 0), choices.length - 1);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[marked]?.scrollIntoView({ block: "nearest" });
  }, [marked]);
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    const current = choices[marked];
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (event.key === "Escape") onCancel();
    else if (event.key === "Enter" && current) onPick(current);
    else if (move === undefined) return;
    else setMoved(Math.max(0, Math.min(choices.length - 1, marked + move)));
    event.preventDefault();
  };
  const current = choices[marked];
  return (
    <div className="filter-list" onKeyDown={onKey}>
      <input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={current && `${id}-${marked}`}
        aria-label={label}
        placeholder={label}
        spellCheck={false}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setMoved(undefined);
        }}
      />
      <div className="filter-body">
        <ul ref={list} id={`${id}-list`} role="listbox" aria-label={label} className="nowheel">
          {choices.map((choice, index) => (
            <li
              key={choice.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === marked}
              onPointerMove={() => index !== marked && setMoved(index)}
              onClick={() => onPick(choice)}
            >
              {choice.picture && <img src={choice.picture} alt="" loading="lazy" />}
              <span>{choice.label}</span>
              {choice.detail && (
                <span className="quiet" title={choice.detail}>
                  {choice.detail}
                </span>
              )}
            </li>
          ))}
        </ul>
        {about && current && <aside className="filter-about">{about(current)}</aside>}
      </div>
      {choices.length === 0 && <p className="quiet">{t("nothingFits")}</p>}
    </div>
  );
}
