/** The stream of events from the server. */
import { create } from "zustand";
import { getJob } from "@/api/client";
import { EventStream, type ServerEvent } from "@/api/events";
import { ApiError, Unreachable } from "@/api/problems";
import { loadCatalogue } from "./catalogue";
import { checkSoon } from "./check";
import { applyEvent, applyResult, useRuns, type RunEvent } from "./runs";
import { useSession } from "./session";

interface Connection {
  readonly status: "connecting" | "open" | "lost";
}

export const useConnection = create<Connection>(() => ({ status: "connecting" }));

type Listener = (event: ServerEvent) => void;
const listeners = new Set<Listener>();

/** Hear every event of the server; after a gap one of type `gap`. Gives the function that ends it. */
export function onServerEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publish(event: ServerEvent): void {
  for (const listener of listeners) listener(event);
}

let seen: number | undefined;

/** The number of the last event that was seen. */
export const lastEvent = (): number | undefined => seen;

/**
 * Follow the server's events as long as the editor is open: after a break it goes on where it was.
 *
 * @param after begin after this event, as a page does that was loaded again during a run.
 */
export function watchEvents(after?: number): () => void {
  const listener = {
    onEvent: (event: ServerEvent, picture?: Blob) => {
      seen = event.id ?? seen;
      applyEvent(event as RunEvent, picture);
      publish(event);
    },
    onGap: () => {
      publish({ type: "gap" });
      void catchUp();
    },
    onLink: changeStatus,
  };
  const stream = new EventStream(listener, after);
  const retry = () => stream.retryNow();
  addEventListener("online", retry);
  const stop = useSession.subscribe(({ status }) => status === "in" && retry());
  return () => {
    stop();
    removeEventListener("online", retry);
    stream.close();
  };
}

function changeStatus(link: "connecting" | "open" | "lost"): void {
  const before = useConnection.getState().status;
  if (link === "connecting" && before === "lost") return; // it is lost until it is open again
  useConnection.setState({ status: link });
  if (link === "open" && before === "lost") void catchUp();
}

/** Look at the jobs themselves: events may have been missed. */
async function catchUp(): Promise<void> {
  await loadCatalogue();
  checkSoon();
  const open = Object.values(useRuns.getState().runs).filter((run) =>
    ["queued", "running", "interrupted"].includes(run.state),
  );
  for (const { job } of open) await lookAt(job);
}

async function lookAt(job: string): Promise<void> {
  try {
    applyResult(await getJob(job));
  } catch (error) {
    // It is gone, or the server is again: then the next connection catches up.
    if (!(error instanceof Unreachable || error instanceof ApiError)) throw error;
  }
}
