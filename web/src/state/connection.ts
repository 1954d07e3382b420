/** The stream of events from the server. */
import { create } from "zustand";
import { loadCatalogue } from "./catalogue";
import { checkSoon } from "./check";
import { applyEvent, applyResult, useRuns, type JobView, type RunEvent } from "./runs";

interface Connection {
  readonly status: "connecting" | "open" | "lost";
}

export const useConnection = create<Connection>(() => ({ status: "connecting" }));

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Follow the server's events as long as the editor is open: after a break it goes on where it was. */
export function watchEvents(): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: number | undefined;
  let pause = FIRST_PAUSE_MS;
  let over = false;
  const open = () => {
    const address = new URL("/api/v1/events", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    if (last !== undefined) address.searchParams.set("after", String(last));
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const again = useConnection.getState().status === "lost";
      useConnection.setState({ status: "open" });
      pause = FIRST_PAUSE_MS;
      if (again) void catchUp();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const { event, picture } = readFrame(data);
      last = event.id ?? last;
      if (event.type === "gap") void catchUp();
      else applyEvent(event, picture);
    };
    socket.onclose = () => {
      if (over) return;
      useConnection.setState({ status: "lost" });
      timer = setTimeout(open, pause);
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    };
  };
  open();
  return () => {
    over = true;
    clearTimeout(timer);
    socket?.close();
  };
}

/** A text frame is an event; a binary one has its length, the event, and a picture. */
function readFrame(data: string | ArrayBuffer): { event: RunEvent; picture?: Blob } {
  if (typeof data === "string") return { event: JSON.parse(data) as RunEvent };
  const length = new DataView(data).getUint32(0);
  const text = new TextDecoder().decode(data.slice(4, 4 + length));
  return { event: JSON.parse(text) as RunEvent, picture: new Blob([data.slice(4 + length)]) };
}

/** Look at the jobs themselves: events may have been missed. */
async function catchUp(): Promise<void> {
  await loadCatalogue();
  checkSoon();
  const open = Object.values(useRuns.getState().runs).filter((run) => ["queued", "running"].includes(run.state));
  for (const { job } of open) {
    const answer = await fetch(`/api/v1/jobs/${job}`);
    if (answer.ok) applyResult((await answer.json()) as JobView);
  }
}
