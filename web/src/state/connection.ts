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
  if (link !== "open") return;
  if (before === "lost") void catchUp();
  if (before === "connecting") void lookAtOpen(); // what was queued before anybody listened
}

/** How long a job waits for somebody who hears of it. */
const PATIENCE_MS = 3000;

/**
 * Until the events of what is queued now will be heard: a job may be over before the page listens.
 *
 * Where no stream comes about, its loss or its beginning makes up for what was missed.
 */
export function whenHeard(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, PATIENCE_MS);
    const stop = useConnection.subscribe(({ status }) => status !== "connecting" && done());
    if (useConnection.getState().status !== "connecting") done();
  });
}

/** Look at the jobs themselves: events may have been missed. */
async function catchUp(): Promise<void> {
  await loadCatalogue();
  checkSoon();
  await lookAtOpen();
}

async function lookAtOpen(): Promise<void> {
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
