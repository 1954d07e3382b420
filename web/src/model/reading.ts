/** The one way in for documents from outside: files, saved ones, the clipboard, what a browser kept. */
import type { Workflow } from "./document";
import { parseJson } from "./json";
import { cleanLooks } from "./looks";
import { shapeFaults } from "./shape";

/** What was given is no workflow; the message says why. */
export class BadDocument extends Error {
  override readonly name = "BadDocument";
}

const MOST_LISTED = 5;

/** Throws a `BadDocument` that tells the faults, if there are any. */
export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length - MOST_LISTED;
  const rest = more > 0 ? [`… and ${more} more`] : [];
  throw new BadDocument([...faults.slice(0, MOST_LISTED), ...rest].join("; "));
}

export interface Read {
  readonly workflow: Workflow;
  /** What could not be drawn and was left out, each with its place. */
  readonly dropped: readonly string[];
}

/** A workflow in parsed JSON. Throws `BadDocument`. */
export function readWorkflow(document: unknown): Read {
  refuse(shapeFaults(document));
  const { value, dropped } = cleanLooks(document as Workflow);
  return { workflow: value, dropped };
}

/** A workflow in JSON text. Throws `BadDocument`. */
export function readText(text: string): Read {
  return readWorkflow(parsed(text));
}

/** Parsed JSON of any text. Throws `BadDocument` where it is none, or nested too deep to be read. */
export function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadDocument(`not valid JSON: ${error.message}`);
    if (error instanceof RangeError) throw new BadDocument("the document is nested too deep");
    throw error;
  }
}
