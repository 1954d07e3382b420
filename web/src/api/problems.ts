/** Problems as the server tells them (RFC 9457), and the ones of the way there. */
import type { components } from "./types";

export type IssueView = components["schemas"]["IssueView"];
type ProblemView = components["schemas"]["ProblemView"];

/** The server refused a request; `detail` is for people, `code` for programs. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly issues: readonly IssueView[] = [],
    /** Seconds after which the server may be asked again. */
    readonly retryAfter?: number,
  ) {
    super(detail);
  }
}

/** The server did not answer: it is not there, or the way to it is not. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** What came instead of an answer of the API: a page, JSON that is damaged or cut, or JSON of no use. */
export type Came = "page" | "damaged" | "other";

/** Something answered in the server's place, as the sign-in page of a network does. */
export class NotTheApi extends Unreachable {
  constructor(
    readonly came: Came,
    /** Its beginning, or the title of a page. */
    readonly shown: string,
  ) {
    super(`not the API answered, but: ${shown}`);
  }
}

const MOST_SHOWN = 60;

/** What the text of an answer says that is not the API's. */
export function notTheApi(text: string, isJson: boolean): NotTheApi {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? text.replaceAll(/<[^>]*>/g, " ");
  const shown = (isJson ? text : title).replaceAll(/\s+/g, " ").trim();
  const short = shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown;
  return new NotTheApi(isJson ? (isWhole(text) ? "other" : "damaged") : "page", short);
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The problem that an answer tells; one of a proxy on the way may be no JSON. */
export async function problemOf(answer: Response): Promise<ApiError> {
  const told = await readProblem(answer);
  const after = Number(answer.headers.get("Retry-After") ?? NaN);
  return new ApiError(
    answer.status,
    told.code ?? "unknown",
    told.detail ?? (answer.statusText || `HTTP ${answer.status}`),
    told.issues ?? [],
    Number.isFinite(after) ? after : undefined,
  );
}

async function readProblem(answer: Response): Promise<Partial<ProblemView>> {
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!kind.includes("json")) return {};
  try {
    return (await answer.json()) as Partial<ProblemView>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return {};
    throw error;
  }
}
