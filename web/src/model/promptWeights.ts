/** Changing the weight of what is selected in a prompt: `(red apple:1.1)`. */

export interface Edit {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const WORD = /[^\s,()]/;
const WEIGHTED = /^\(([\s\S]*):(-?\d*\.?\d+)\)$/;

/** Add to the weight of the selection, or of the word at the cursor. A weight of 1 needs no brackets. */
export function changeWeight(text: string, start: number, end: number, by: number): Edit {
  const [from, to] = surroundingWeight(text, ...wordAround(text, start, end));
  const chosen = text.slice(from, to);
  if (chosen.trim() === "") return { text, start, end };
  const found = WEIGHTED.exec(chosen);
  const words = found?.[1] ?? chosen;
  const weight = Math.round(((found ? Number(found[2]) : 1) + by) * 100) / 100;
  const written = weight === 1 ? words : `(${words}:${weight})`;
  const inner = weight === 1 ? from : from + 1;
  return {
    text: text.slice(0, from) + written + text.slice(to),
    start: inner,
    end: inner + words.length,
  };
}

/** A selection without the blanks at its ends; a cursor becomes the word it stands in. */
function wordAround(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  if (from === to) {
    while (from > 0 && WORD.test(text.charAt(from - 1))) from -= 1;
    while (to < text.length && WORD.test(text.charAt(to))) to += 1;
    return [from, to];
  }
  while (from < to && /\s/.test(text.charAt(from))) from += 1;
  while (to > from && /\s/.test(text.charAt(to - 1))) to -= 1;
  return [from, to];
}

/** Take the brackets along where the selection is all that they hold. */
function surroundingWeight(text: string, from: number, to: number): [number, number] {
  const before = text.charAt(from - 1) === "(";
  const after = /^(:-?\d*\.?\d+)?\)/.exec(text.slice(to));
  if (before && after?.[1] !== undefined) return [from - 1, to + after[0].length];
  const number = /^([^()]*):-?\d*\.?\d*$/.exec(text.slice(from, to));
  if (before && number && text.charAt(to) === ")") return [from - 1, to + 1];
  return withinWeight(text, from, to);
}

/** The weighted bracket around a cursor: `(a| red apple:1.1)` changes as a whole. */
function withinWeight(text: string, from: number, to: number): [number, number] {
  const open = text.lastIndexOf("(", from);
  const close = text.indexOf(")", to);
  if (open < 0 || close < 0) return [from, to];
  const whole = text.slice(open, close + 1);
  const plain = !/[()]/.test(whole.slice(1, -1));
  return plain && WEIGHTED.test(whole) ? [open, close + 1] : [from, to];
}
