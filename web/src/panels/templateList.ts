/** The templates as a person looks for them. */
import type { TemplateView } from "@/api/library";

/** What most people begin with, in the order in which they learn it. */
const FIRST: readonly string[] = ["text_to_image", "image_to_image", "inpaint", "outpaint", "hires_fix"];

export interface TemplateGroups {
  /** Those that run as they are. */
  readonly ready: readonly TemplateView[];
  /** Those that need a file first. */
  readonly lacking: readonly TemplateView[];
}

/** Those that hold every word, the simplest first, apart from those that would not run. */
export function templateGroups(templates: readonly TemplateView[], words: string): TemplateGroups {
  const found = templates.filter((template) => holds(template, words)).sort(byUse);
  return { ready: found.filter(({ valid }) => valid), lacking: found.filter(({ valid }) => !valid) };
}

function holds({ name, title, description }: TemplateView, words: string): boolean {
  const text = `${name} ${title} ${description}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function byUse(one: TemplateView, other: TemplateView): number {
  return rankOf(one) - rankOf(other) || one.title.localeCompare(other.title);
}

function rankOf({ name }: TemplateView): number {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
}
