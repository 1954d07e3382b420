/**
 * The browser's own stores, which may be denied, full or damaged.
 *
 * Nothing that the editor does depends on them: what cannot be read is not there, what is damaged is removed, and
 * that something is not kept is told as long as it is so.
 */
import { createStore, del, entries, set } from "idb-keyval";
import { create } from "zustand";
import { createJSONStorage } from "zustand/middleware";

interface Keeping {
  /** Edits are not kept: they are gone when the page is. */
  readonly losesEdits: boolean;
  /** What is of less worth is not kept: settings, and which runs belong to a tab. */
  readonly losesRest: boolean;
}

export const useKeeping = create<Keeping>(() => ({ losesEdits: false, losesRest: false }));

function note(change: Partial<Keeping>): void {
  const before = useKeeping.getState();
  const isNews = Object.entries(change).some(([key, value]) => before[key as keyof Keeping] !== value);
  if (isNews) useKeeping.setState(change);
}

/** Texts by name, in a store of the browser that answers at once. */
export interface Texts {
  readonly read: (name: string) => string | undefined;
  /** Gives whether it is kept. */
  readonly write: (name: string, text: string) => boolean;
  readonly remove: (name: string) => void;
  readonly names: () => string[];
}

/** The texts in what `store` gives; it may throw whatever the browser, or an extension of it, throws. */
export function textsIn(store: () => Storage): Texts {
  const attempt = <T>(act: (store: Storage) => T): T | undefined => {
    try {
      return act(store());
    } catch {
      note({ losesRest: true });
      return undefined;
    }
  };
  return {
    read: (name) => attempt((there) => there.getItem(name)) ?? undefined,
    write: (name, text) => attempt((there) => (there.setItem(name, text), true)) ?? false,
    remove: (name) => attempt((there) => there.removeItem(name)),
    names: () => attempt((there) => Object.keys(there)) ?? [],
  };
}

/** Of this browser, for all its tabs. */
export const ofBrowser = textsIn(() => localStorage);
/** Of this browser tab, as long as it is open. */
export const ofTab = textsIn(() => sessionStorage);

/** Where zustand keeps the settings of a person. */
export const settingsStorage = <T>() =>
  createJSONStorage<T>(() => ({
    getItem: (name) =>
      readJson(ofBrowser, name, isRecord) === undefined ? null : (ofBrowser.read(name) ?? null),
    setItem: (name, text) => void ofBrowser.write(name, text),
    removeItem: ofBrowser.remove,
  }));

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A guard for lists of which each entry is right. */
export const listOf =
  <T>(isRight: (value: unknown) => value is T) =>
  (value: unknown): value is readonly T[] =>
    Array.isArray(value) && value.every(isRight);

/** What was kept as JSON; where it is not what `isRight` asks for, it is removed. */
export function readJson<T>(
  texts: Texts,
  name: string,
  isRight: (value: unknown) => value is T,
): T | undefined {
  const text = texts.read(name);
  if (text === undefined) return undefined;
  const value = parsed(text);
  if (isRight(value)) return value;
  texts.remove(name);
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Values by key, in the database of the browser. */
export interface Table<T> {
  /** All that are whole; those that are not are removed. */
  readonly all: () => Promise<T[]>;
  /** Gives whether it is kept. */
  readonly put: (key: string, value: T) => Promise<boolean>;
  readonly drop: (key: string) => Promise<void>;
}

/** A database that says nothing for so long is one that fails: the editor waits for it as it opens. */
const PATIENCE_MS = 5000;

export function editsTable<T>(name: string, isRight: (value: unknown) => value is T): Table<T> {
  const store = createStore("nodegraph", name);
  const attempt = async <R>(act: () => Promise<R>): Promise<R | undefined> => {
    try {
      const answer = await inTime(act());
      note({ losesEdits: false });
      return answer;
    } catch {
      note({ losesEdits: true });
      return undefined;
    }
  };
  const drop = async (key: string) => void (await attempt(() => del(key, store)));
  return {
    drop,
    all: async () => {
      const found = (await attempt(() => entries<string, unknown>(store))) ?? [];
      await Promise.all(found.filter(([, value]) => !isRight(value)).map(([key]) => drop(key)));
      return found.map(([, value]) => value).filter(isRight);
    },
    put: async (key, value) => (await attempt(async () => (await set(key, value, store), true))) ?? false,
  };
}

async function inTime<R>(answer: Promise<R>): Promise<R> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the database says nothing")), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
