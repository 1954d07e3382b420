/** What people look for most comes first. */

export interface Listed {
  readonly title: string;
  readonly category: string;
  /** Names of templates that use it. */
  readonly examples?: readonly string[];
}

const FIRST = ["loaders", "conditioning", "sampling", "latent", "vae", "image", "mask"];
const LAST = "advanced";

/** By category, those of every day first and advanced ones last; in each, what templates use most. */
export function everydayFirst<T extends Listed>(types: readonly T[]): T[] {
  return [...types].sort(
    (one, other) =>
      byCategory(one.category, other.category) ||
      uses(other) - uses(one) ||
      one.title.localeCompare(other.title),
  );
}

/** The order of categories. */
export function byCategory(one: string, other: string): number {
  return placeOf(one) - placeOf(other) || one.localeCompare(other);
}

export const uses = ({ examples = [] }: Pick<Listed, "examples">): number => examples.length;

function placeOf(category: string): number {
  const parts = category.split("/");
  if (parts.includes(LAST)) return FIRST.length + 1;
  const place = FIRST.indexOf(parts[0] ?? "");
  return place < 0 ? FIRST.length : place;
}
