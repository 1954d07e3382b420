import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { getJobWorkflow, listJobs, submitJob, upload } from "./client";
import { wordsOf } from "@/state/words";
import { json, onUnknown } from "./http";
import { readSaved } from "./library";
import { ApiError, Unreachable } from "./problems";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

let server: Server;
let seen: Seen;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen = { method: request.method, url: request.url, headers: request.headers, body };
      answer(response);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const real = fetch;
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => real(`http://127.0.0.1:${port}${path}`, init));
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await new Promise((closed) => server.close(closed));
});

function reply(status: number, type: string, text: string, headers: Record<string, string> = {}): void {
  answer = (response) => response.writeHead(status, { "Content-Type": type, ...headers }).end(text);
}

test("a workflow goes out and comes back with every digit of its seeds", async () => {
  reply(201, "application/json", '{"id":"1"}');
  const workflow = {
    format: "nodegraph",
    nodes: { s: { type: "K", inputs: { seed: 2n ** 64n - 1n } } },
  } as const;
  await submitJob(workflow, { label: "Two" }, "key-1");
  expect(seen).toMatchObject({ method: "POST", url: "/api/v1/jobs" });
  expect(seen.headers["idempotency-key"]).toBe("key-1");
  expect(seen.body).toContain('"seed":18446744073709551615');
  reply(
    200,
    "application/json",
    JSON.stringify(workflow, (_, value: unknown) => (typeof value === "bigint" ? 7 : value)).replace(
      '"seed":7',
      '"seed":18446744073709551615',
    ),
  );
  expect(await getJobWorkflow("a/b")).toEqual(workflow);
  expect(seen.url).toBe("/api/v1/jobs/a%2Fb/workflow");
});

test("a problem becomes an error with its code, words and issues", async () => {
  const issues = [{ code: "missing_input", message: "the required input image has no wire." }];
  const problem = { code: "invalid_workflow", detail: "2 things are wrong", issues };
  reply(422, "application/problem+json", JSON.stringify(problem), { "Retry-After": "5" });
  const error = await json("/jobs").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 422,
    code: "invalid_workflow",
    detail: "2 things are wrong",
    issues,
    retryAfter: 5,
  });
});

test("an answer that is no JSON is a problem too", async () => {
  reply(403, "text/html", "<h1>No</h1>");
  await expect(json("/jobs")).rejects.toMatchObject({ status: 403, code: "unknown", detail: "Forbidden" });
});

test.each([
  ["text/html", "<title>Hotel\n Wi-Fi</title><p>Sign in", "page", "Hotel Wi-Fi"],
  ["text/plain", "", "page", ""],
  ["application/json", '{"jobs":[{"id', "damaged", '{"jobs":[{"id'],
  ["application/json", "null", "other", "null"],
  ["application/json", "[1]", "other", "[1]"],
])("%s with %o in the API's place is told as what it is", async (type, text, came, shown) => {
  reply(200, type, text);
  const asked = [
    json("/jobs"),
    getJobWorkflow("a"),
    ...(type === "application/json" ? [] : [readSaved("a")]),
  ];
  for (const ask of asked) await expect(ask).rejects.toMatchObject({ name: "Unreachable", came, shown });
  await expect(json("/jobs").catch(wordsOf)).resolves.toContain(shown);
});

test("a proxy without the server behind it counts as no server", async () => {
  reply(502, "text/html", "<h1>Bad Gateway</h1>");
  await expect(json("/jobs")).rejects.toBeInstanceOf(Unreachable);
});

test("no server at all is told apart, stopping is neither", async () => {
  answer = (response) => response.destroy();
  await expect(json("/jobs")).rejects.toBeInstanceOf(Unreachable);
  const stopped = AbortSignal.abort();
  await expect(json("/jobs", { signal: stopped })).rejects.toMatchObject({ name: "AbortError" });
});

test("queries repeat lists and leave out what is not given", async () => {
  reply(200, "application/json", '{"jobs":[],"next":null}');
  await listJobs({ state: ["done", "failed"], limit: 5, before: undefined });
  expect(seen.url).toBe("/api/v1/jobs?state=done&state=failed&limit=5");
});

test("a file is sent as a form whose fields come first", async () => {
  reply(201, "application/json", '{"uploads":[{"name":"a.png"}]}');
  expect(await upload(new File(["x"], "a.png"), true)).toEqual({ name: "a.png" });
  expect(seen.body.indexOf("overwrite")).toBeLessThan(seen.body.indexOf('name="file"'));
});

test("what was refused for want of a token is sent again once there is one, with all it had", async () => {
  reply(401, "application/problem+json", '{"code":"unauthorized","detail":"a token is needed"}');
  const signIn = vi.fn(() => {
    reply(201, "application/json", '{"id":"1"}');
    return Promise.resolve(true);
  });
  onUnknown(signIn);
  expect(await submitJob({ format: "nodegraph" }, { label: "kept" }, "key")).toEqual({ id: "1" });
  expect(signIn).toHaveBeenCalledOnce();
  expect(seen.body).toContain("kept");
  onUnknown(() => Promise.resolve(false));
  reply(401, "application/problem+json", '{"code":"unauthorized","detail":"a token is needed"}');
  await expect(json("/jobs")).rejects.toMatchObject({ status: 401 });
});
