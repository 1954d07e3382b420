/** One request to `/api/v1`: JSON there and back, problems as errors. */
import type { Json } from "@/model/document";
import { parseJson, writeJson } from "@/model/json";
import { Unreachable, notTheApi, problemOf } from "./problems";

export const PREFIX = "/api/v1";

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON; seeds of any size keep their digits. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly file?: Blob | FormData;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Lets a person sign in; gives whether it is worth asking again. */
type SignIn = () => Promise<boolean>;

let signIn: SignIn = () => Promise.resolve(false);

/** What to do when the server no longer knows who asks: the request waits for it, and is sent again. */
export function onUnknown(act: SignIn): void {
  signIn = act;
}

/** Where a token is given: to be refused there is an answer. */
const SESSION = "/session";

/**
 * Send a request. Throws `ApiError` where the server refuses, `Unreachable` where nothing answers, and an
 * `AbortError` where `signal` stops it.
 */
export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const answer = await reach(PREFIX + path + queryText(ask.query), {
    method: ask.method ?? (ask.body === undefined && ask.file === undefined ? "GET" : "POST"),
    headers: { ...(ask.body !== undefined && { "Content-Type": "application/json" }), ...ask.headers },
    ...(ask.body !== undefined && { body: writeJson(ask.body) }),
    ...(ask.file && { body: ask.file }),
    ...(ask.signal && { signal: ask.signal }),
  });
  if (PROXY_ALONE.has(answer.status) && !isJson(answer))
    throw new Unreachable("a proxy answers in its place");
  if (answer.status === 401 && path !== SESSION && (await signIn())) return send(path, ask);
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** What a proxy says when the server behind it is gone. */
const PROXY_ALONE: ReadonlySet<number> = new Set([502, 504]);

const isJson = (answer: Response): boolean => (answer.headers.get("Content-Type") ?? "").includes("json");

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof TypeError) throw new Unreachable("the server does not answer", { cause: error });
    throw error;
  }
}

function queryText(query: Ask["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      if (one !== undefined) parameters.append(name, String(one));
  const text = parameters.toString();
  return text && `?${text}`;
}

/** The JSON of an answer. Throws `NotTheApi` where it is none of the API's. */
export async function json<T>(path: string, ask?: Ask): Promise<T> {
  return (await readBody(await send(path, ask), JSON.parse)) as T;
}

/** The JSON of an answer in which numbers keep every digit, as workflows need. */
export async function exactJson(path: string, ask?: Ask): Promise<Json> {
  return (await readBody(await send(path, ask), parseJson)) as Json;
}

/** A file as it is, which calls itself JSON: it may be damaged. Throws `NotTheApi` where it is none of the API's. */
export async function fileText(answer: Response): Promise<string> {
  const text = await textOf(answer);
  if (!isJson(answer)) throw notTheApi(text, false);
  return text;
}

/** All that the API answers are objects. */
async function readBody(answer: Response, parse: (text: string) => unknown): Promise<object> {
  const text = await textOf(answer);
  const value = isJson(answer) ? parsed(text, parse) : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw notTheApi(text, isJson(answer));
  return value;
}

async function textOf(answer: Response): Promise<string> {
  try {
    return await answer.text();
  } catch (error) {
    if (error instanceof TypeError) throw new Unreachable("the answer breaks off", { cause: error });
    throw error;
  }
}

function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
