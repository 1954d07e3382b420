import { expect, test } from "vitest";
import {
  EventStream,
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  readMessage,
  type Link,
  type ServerEvent,
} from "./events";

class FakeSocket {
  binaryType = "";
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (message: { data: unknown }) => void = () => undefined;
  constructor(readonly url: string) {}
  close(): void {
    this.onclose();
  }
  tell(event: ServerEvent): void {
    this.onmessage({ data: JSON.stringify(event) });
  }
}

function stage() {
  const sockets: FakeSocket[] = [];
  const timers: { run: () => void; ms: number }[] = [];
  const told: { events: ServerEvent[]; links: Link[]; gaps: number } = { events: [], links: [], gaps: 0 };
  const stream = new EventStream(
    {
      onEvent: (event) => told.events.push(event),
      onGap: () => (told.gaps += 1),
      onLink: (link) => told.links.push(link),
    },
    undefined,
    {
      open: (url) => {
        const socket = new FakeSocket(url);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      setTimer: (run, ms) => timers.push({ run, ms }),
      clearTimer: () => undefined,
      random: () => 1,
      address: "ws://host",
    },
  );
  const socket = () => sockets.at(-1) ?? new FakeSocket("");
  return { stream, sockets, socket, timers, told, again: () => timers.at(-1)?.run() };
}

test("it comes back after the last event it saw", () => {
  const { socket, again, told } = stage();
  expect(socket().url).toBe("ws://host/api/v1/events");
  socket().onopen();
  socket().tell({ type: "node_started", id: 41 });
  socket().tell({ type: "node_started", id: 42 });
  socket().close();
  again();
  expect(socket().url).toBe("ws://host/api/v1/events?after=42");
  expect(told.links).toEqual(["connecting", "open", "lost", "connecting"]);
  expect(told.events.map(({ id }) => id)).toEqual([41, 42]);
});

test("it waits longer each time, up to a limit, and starts anew after a success", () => {
  const { socket, again, timers } = stage();
  for (let attempt = 0; attempt < 8; attempt += 1) {
    socket().close();
    again();
  }
  expect(timers.map(({ ms }) => ms).slice(0, 3)).toEqual([
    FIRST_PAUSE_MS,
    2 * FIRST_PAUSE_MS,
    4 * FIRST_PAUSE_MS,
  ]);
  expect(timers.at(-1)?.ms).toBe(LONGEST_PAUSE_MS);
  socket().onopen();
  socket().close();
  expect(timers.at(-1)?.ms).toBe(FIRST_PAUSE_MS);
});

test("what was missed for good is told: by the server, or because nothing was seen before", () => {
  const { socket, again, told } = stage();
  socket().close();
  again();
  socket().onopen();
  expect(told.gaps).toBe(1);
  socket().tell({ type: "gap", id: 99 });
  expect(told.gaps).toBe(2);
  socket().close();
  again();
  expect(socket().url).toContain("after=99");
});

test("one that was too slow asks again for what was dropped", () => {
  const { socket, timers, told } = stage();
  socket().onopen();
  socket().tell({ type: "node_started", id: 7 });
  socket().tell({ type: "lagged" });
  expect(timers).toHaveLength(1);
  expect(told.events).toHaveLength(1);
});

test("closing is for good", () => {
  const { stream, sockets, timers } = stage();
  stream.close();
  stream.retryNow();
  expect(timers).toHaveLength(0);
  expect(sockets).toHaveLength(1);
});

test("a binary frame holds an event and a picture", async () => {
  const text = new TextEncoder().encode(
    JSON.stringify({ type: "node_preview", node: "ü", media_type: "image/png" }),
  );
  const frame = new Uint8Array(4 + text.length + 3);
  new DataView(frame.buffer).setUint32(0, text.length);
  frame.set(text, 4);
  frame.set([1, 2, 3], 4 + text.length);
  const { event, body } = readMessage(frame.buffer) ?? {};
  expect(event?.node).toBe("ü");
  expect(body?.type).toBe("image/png");
  expect([...new Uint8Array((await body?.arrayBuffer()) ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
});

test("what is no event counts as a gap, and the next one is heard", () => {
  const { socket, told } = stage();
  const binary = (...bytes: number[]) => new Uint8Array(bytes).buffer;
  const frames = [
    ...["{garb", "", "null", "5", "[]", "{}", '{"type":5}', '{"type":"a","job":5}', '{"type":"a","node":[]}'],
    ...['{"type":"a","id":"x"}', binary(), binary(1, 2), binary(255, 255, 255, 255), binary(0, 0, 0, 1, 65)],
  ];
  for (const data of frames) socket().onmessage({ data });
  expect(told).toMatchObject({ gaps: frames.length, events: [] });
  socket().tell({ type: "node_started", id: 7 });
  expect(told.events).toEqual([{ type: "node_started", id: 7 }]);
});
