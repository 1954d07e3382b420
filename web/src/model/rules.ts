/** What a value in a document may be, in the words that the server has for it. */
import type { Json } from "./document";
import { writeJson } from "./json";

export interface Rule {
  readonly holds: (value: unknown) => boolean;
  /** What it must be, as the end of a sentence. */
  readonly words: string;
}

export type Rules = Readonly<Record<string, Rule>>;
export type Fields = Readonly<Record<string, unknown>>;

/** Farther out nothing is found again: views and drawings lose their precision there. */
export const FARTHEST = 1_000_000;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isWhole = (value: unknown) => typeof value === "number" && Number.isInteger(value) && value >= 1;
const isNear = (value: unknown) => typeof value === "number" && Math.abs(value) <= FARTHEST;
const isPair = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length === 2;
const isTwoTexts = (value: unknown) => isPair(value) && value.every(isText);
const isListOf = (holds: (item: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(holds);

const LINK_WORDS = 'must be a link ["node", "output"]';

export const TEXT: Rule = { holds: isText, words: "must be text" };
export const TEXT_OR_NULL: Rule = { ...TEXT, holds: (value) => value === null || isText(value) };
export const SWITCH: Rule = { holds: (value) => typeof value === "boolean", words: "must be true or false" };
export const OBJECT: Rule = { holds: isRecord, words: "must be an object" };
export const VERSION: Rule = { holds: isWhole, words: "must be a whole number from 1 up" };
export const MODE: Rule = {
  holds: (value) => value === null || value === "muted" || value === "bypassed",
  words: 'must be "muted", "bypassed" or null',
};
export const LINK: Rule = { holds: isTwoTexts, words: LINK_WORDS };
export const LINKS: Rule = {
  holds: (value) => isTwoTexts(value) || isListOf(isTwoTexts)(value),
  words: `${LINK_WORDS} or a list of links`,
};
export const TARGETS: Rule = {
  holds: isListOf(isTwoTexts),
  words: 'must be a list of [node, input], such as [["sampler", "cfg"]]',
};
export const TEXTS: Rule = { holds: isListOf(isText), words: "must be a list of texts" };
export const TEXT_BY_NAME: Rule = {
  holds: (value) => isRecord(value) && Object.values(value).every(isText),
  words: "must be an object of texts",
};
export const POSITION: Rule = {
  holds: (value) => isPair(value) && value.every(isNear),
  words: `must be two numbers [x, y] up to ${FARTHEST}`,
};
export const SIZE: Rule = {
  holds: (value) => POSITION.holds(value) && isPair(value) && Number(value[0]) > 0 && Number(value[1]) >= 0,
  words: `must be two numbers [width, height] from 0 to ${FARTHEST}`,
};
export const VIEW: Rule = {
  holds: (value) => isRecord(value) && ["x", "y", "zoom"].every((name) => isNear(value[name])),
  words: "must be an object of three numbers x, y and zoom",
};

const LONGEST = 60;

/** A value as short text for a message. */
export function describe(value: unknown): string {
  if (isRecord(value)) return Object.keys(value).length > 0 ? "an object" : "an empty object";
  const text = writeJson(value as Json);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

/** What is wrong at a place, as one sentence. */
export const fault = (place: string, { words }: Rule, value: unknown): string =>
  `${place}: ${words}, not ${describe(value)}`;

/** Names of the fields that break their rule. */
export function broken(record: Fields, rules: Rules): string[] {
  return Object.keys(rules).filter(
    (name) => Object.hasOwn(record, name) && rules[name]?.holds(record[name]) === false,
  );
}

/** A sentence for each field that breaks its rule. */
export function faultsIn(place: string, record: Fields, rules: Rules): string[] {
  return broken(record, rules).map((name) => fault(place + name, rules[name] ?? OBJECT, record[name]));
}
