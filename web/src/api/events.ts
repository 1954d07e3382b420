/** The events of the server over one WebSocket that comes back by itself and misses nothing it can have. */
import { PREFIX } from "./http";

/** An event as it is told; `id` rises over the whole server and restarts. */
export interface ServerEvent {
  readonly type: string;
  readonly id?: number;
  readonly time?: number;
  readonly job?: string;
  readonly node?: string;
  readonly [field: string]: unknown;
}

export type Link = "connecting" | "open" | "lost";

export interface Listener {
  /** `body` goes with some events, such as the picture of a preview. */
  readonly onEvent: (event: ServerEvent, body?: Blob) => void;
  /** Events were missed for good: whatever is shown of jobs must be asked for anew. */
  readonly onGap: () => void;
  readonly onLink: (link: Link) => void;
}

export const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 15_000];

/** What of a browser is needed; tests bring their own. */
export interface Surroundings {
  readonly open: (url: string) => WebSocket;
  readonly setTimer: (run: () => void, ms: number) => unknown;
  readonly clearTimer: (timer: unknown) => void;
  readonly random: () => number;
  readonly address: string;
}

function browser(): Surroundings {
  return {
    open: (url) => new WebSocket(url),
    setTimer: (run, ms) => setTimeout(run, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    random: Math.random,
    address: location.origin.replace(/^http/, "ws"),
  };
}

/** A connection that is kept until `close`. */
export class EventStream {
  private socket: WebSocket | undefined;
  private timer: unknown;
  private attempts = 0;
  private closed = false;

  /** @param last the last event that was seen; what comes after it is asked for. */
  constructor(
    private readonly listener: Listener,
    private last?: number,
    private readonly around: Surroundings = browser(),
  ) {
    this.connect();
  }

  close(): void {
    this.closed = true;
    this.around.clearTimer(this.timer);
    this.socket?.close();
  }

  /** Do not wait for the next attempt: the network is back, or someone asks. */
  retryNow(): void {
    if (this.closed || this.timer === undefined) return;
    this.around.clearTimer(this.timer);
    this.connect();
  }

  private connect(): void {
    this.timer = undefined;
    this.listener.onLink("connecting");
    const after = this.last === undefined ? "" : `?after=${this.last}`;
    const socket = this.around.open(`${this.around.address}${PREFIX}/events${after}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.take(data as string | ArrayBuffer);
    socket.onclose = () => this.lost(socket);
    this.socket = socket;
  }

  private opened(): void {
    const cameBackBlind = this.attempts > 0 && this.last === undefined;
    this.attempts = 0;
    this.listener.onLink("open");
    if (cameBackBlind) this.listener.onGap();
  }

  private lost(socket: WebSocket): void {
    if (this.closed || socket !== this.socket) return;
    this.listener.onLink("lost");
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.attempts);
    this.attempts += 1;
    this.timer = this.around.setTimer(() => this.connect(), pause * (0.5 + this.around.random() / 2));
  }

  private take(data: string | ArrayBuffer): void {
    const message = readMessage(data);
    if (message === undefined) return this.listener.onGap(); // whatever it was to tell is missed
    const { event, body } = message;
    if (event.type === "lagged") {
      this.socket?.close(); // too slow for the server: what it dropped is asked for again
      return;
    }
    if (event.id !== undefined) this.last = event.id;
    if (event.type === "gap") this.listener.onGap();
    else this.listener.onEvent(event, body);
  }
}

/**
 * A text frame is an event; a binary one has the length of the JSON, the JSON, and what goes with it.
 *
 * `undefined`: it is neither, as something on the way there may have made it.
 */
export function readMessage(data: string | ArrayBuffer): { event: ServerEvent; body?: Blob } | undefined {
  if (typeof data === "string") return wrapped(eventIn(data));
  if (data.byteLength < 4) return undefined;
  const length = new DataView(data).getUint32(0);
  if (length > data.byteLength - 4) return undefined;
  const event = eventIn(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  if (event === undefined) return undefined;
  const type = typeof event["media_type"] === "string" ? event["media_type"] : "image/jpeg";
  return { event, body: new Blob([new Uint8Array(data, 4 + length)], { type }) };
}

const wrapped = (event: ServerEvent | undefined) => event && { event };

function eventIn(text: string): ServerEvent | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isEvent(found) ? found : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isEvent(found: unknown): found is ServerEvent {
  if (typeof found !== "object" || found === null) return false;
  const { type, id, time, job, node } = found as Record<string, unknown>;
  const isText = (value: unknown) => value === undefined || value === null || typeof value === "string";
  const isNumber = (value: unknown) => value === undefined || value === null || typeof value === "number";
  return typeof type === "string" && isText(job) && isText(node) && isNumber(id) && isNumber(time);
}
