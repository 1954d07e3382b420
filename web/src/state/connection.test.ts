import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useConnection, watchEvents, whenHeard } from "./connection";
import { followJob, useRuns } from "./runs";
import type { JobView } from "@/api/client";

class Socket {
  static last: Socket;
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  close = () => undefined;
  constructor() {
    Socket.last = this;
  }
}

const job = (state: string) =>
  ({
    id: "j",
    state,
    started: null,
    result: state === "done" ? { nodes: {}, outputs: {}, errors: [], seconds: 1 } : null,
  }) as unknown as JobView;

let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { origin: "http://here" });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(job("done"))));
  useConnection.setState({ status: "connecting" });
  useRuns.setState({ runs: {} });
  stop = watchEvents();
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("what was over before anybody listened is asked for as soon as somebody does", async () => {
  followJob(job("queued"), "tab");
  Socket.last.onopen();
  await vi.waitFor(() => expect(useRuns.getState().runs["j"]?.state).toBe("done"));
});

it("a job waits for the stream, for its loss, or not for ever", async () => {
  const heard = vi.fn();
  void whenHeard().then(heard);
  await vi.advanceTimersByTimeAsync(1000);
  expect(heard).not.toHaveBeenCalled();
  Socket.last.onopen();
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toHaveBeenCalledTimes(1);
  useConnection.setState({ status: "connecting" });
  void whenHeard().then(heard);
  useConnection.setState({ status: "lost" });
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toHaveBeenCalledTimes(2);
  useConnection.setState({ status: "connecting" });
  void whenHeard().then(heard);
  await vi.advanceTimersByTimeAsync(5000);
  expect(heard).toHaveBeenCalledTimes(3);
});
