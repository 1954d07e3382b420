import { useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { FilterList, type Choice } from "./FilterList";

interface Props {
  controlId: string;
  label: string;
  text: string;
  choices: readonly Choice[];
  chosen: string;
  onPick: (key: string) => void;
  /** Called when the list opens. */
  onOpen?: () => void;
}

const ROOM = 280;

/** A button that shows what is chosen and opens a list with a search field. */
export function Picker({ controlId, label, text, choices, chosen, onPick, onOpen }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [anchor, setAnchor] = useState<HTMLElement>();
  const close = () => {
    setAnchor(undefined);
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        id={controlId}
        className="picker"
        aria-haspopup="listbox"
        aria-expanded={anchor !== undefined}
        title={text}
        onClick={(event) => {
          setAnchor(event.currentTarget);
          onOpen?.();
        }}
      >
        {text}
      </button>
      {anchor && (
        <Popup anchor={anchor} onClose={() => setAnchor(undefined)}>
          <FilterList
            label={label}
            chosen={chosen}
            find={(words) => matching(choices, words)}
            onPick={(choice) => {
              onPick(choice.key);
              close();
            }}
            onCancel={close}
          />
        </Popup>
      )}
    </>
  );
}

function matching(choices: readonly Choice[], words: string): readonly Choice[] {
  const wanted = words.toLowerCase().split(/\s+/);
  return choices.filter(({ label }) => wanted.every((word) => label.toLowerCase().includes(word)));
}

interface PopupProps {
  anchor: HTMLElement;
  onClose: () => void;
  children: React.ReactNode;
}

/** Something over everything else, below its anchor or above it where there is more room. */
function Popup({ anchor, onClose, children }: PopupProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const leave = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", leave, true);
    return () => document.removeEventListener("pointerdown", leave, true);
  }, [onClose]);
  const { left, top, bottom, width } = anchor.getBoundingClientRect();
  const above = bottom + ROOM > innerHeight && top > innerHeight - bottom;
  const place = above ? { bottom: innerHeight - top + 4 } : { top: bottom + 4 };
  return createPortal(
    <div
      ref={box}
      className="popup"
      style={{ left: Math.min(left, innerWidth - 260), minWidth: width, ...place }}
    >
      {children}
    </div>,
    document.body,
  );
}
