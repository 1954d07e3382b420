/** Ranking node types for what someone types: names, then categories, names of sockets, words of the documentation. */
import uFuzzy from "@leeoniya/ufuzzy";
import { uses } from "./everyday";

export interface Searchable {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly inputs?: readonly { readonly name: string }[];
  readonly outputs?: readonly { readonly name: string }[];
  /** Names of templates that use it. */
  readonly examples?: readonly string[];
}

/** Words of the trade that stand in no name; the node that is meant first. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  prompt: ["CLIPTextEncode"],
  txt2img: ["KSampler", "EmptyLatentImage", "CLIPTextEncode"],
  t2i: ["KSampler", "EmptyLatentImage", "CLIPTextEncode"],
  img2img: ["VAEEncode", "KSampler", "LoadImage"],
  i2i: ["VAEEncode", "KSampler", "LoadImage"],
  ckpt: ["CheckpointLoaderSimple"],
  model: ["CheckpointLoaderSimple"],
  size: ["EmptyLatentImage"],
};

/** Nodes that so many templates use are what people look for most. */
const COMMON = 3;

const fuzzy = new uFuzzy({ intraMode: 1, interLft: 1 });
const exact = new uFuzzy({ intraMode: 0 });

/** The entries that fit, best first; all of them, as they come, for no words. */
export function rank<T extends Searchable>(entries: readonly T[], words: string): T[] {
  const query = words.trim();
  if (query === "") return [...entries];
  const names = entries.map((entry) => `${entry.title} ${spaced(entry.id)} ${entry.id}`);
  const found = new Set<T>();
  const initials = entries.filter((entry) => initialsOf(entry.id) === query.toLowerCase());
  const equal = entries.filter(({ id, title }) =>
    [id, title].some((name) => name.toLowerCase() === query.toLowerCase()),
  );
  const meant = (MEANT[query.toLowerCase()] ?? []).flatMap(
    (id) => entries.find((entry) => entry.id === id) ?? [],
  );
  for (const entry of [...equal, ...initials, ...meant]) found.add(entry);
  const places = [
    hits(exact, names, query)
      .filter((index) => commonness(entries[index]) > 0)
      .sort((one, other) => commonness(entries[other]) - commonness(entries[one])),
    hits(fuzzy, names, query),
    hits(
      exact,
      entries.map((entry) => entry.category),
      query,
    ),
    hits(
      exact,
      entries.map(({ inputs = [], outputs = [] }) =>
        [...inputs, ...outputs].map(({ name }) => name).join(" "),
      ),
      query,
    ),
    hits(
      exact,
      entries.map((entry) => entry.description),
      query,
    ),
  ];
  for (const index of places.flat()) {
    const entry = entries[index];
    if (entry) found.add(entry);
  }
  return [...found];
}

/** How many templates use a type, where those are many. */
function commonness(entry: Searchable | undefined): number {
  const count = entry ? uses(entry) : 0;
  return count < COMMON ? 0 : count;
}

function hits(search: uFuzzy, haystack: string[], query: string): number[] {
  const [indexes, info, order] = search.search(haystack, query, 1);
  if (indexes === null) return [];
  if (info === null || order === null) return [...indexes];
  return order.map((place) => info.idx[place] ?? 0);
}

/** `KSampler` as `K Sampler`, so that `sampler` begins a word. */
function spaced(id: string): string {
  return id.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3 $2$4");
}

function initialsOf(id: string): string {
  return (spaced(id).match(/\b\p{L}/gu) ?? []).join("").toLowerCase();
}
