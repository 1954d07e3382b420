/** The last events of the server in words, kept from the start so that the log has a past. */
import { create } from "zustand";
import type { ServerEvent } from "@/api/events";
import { onServerEvent } from "@/state/connection";
import type { Failure } from "@/state/runs";
import { seconds as inWords } from "@/strings/units";

export interface LogLine {
  readonly id: number;
  readonly time: number;
  readonly text: string;
  readonly problem: boolean;
  readonly failed?: Failure;
}

const MOST = 500;
const SILENT = new Set(["node_progress", "node_preview"]);

export const useLog = create<{ readonly lines: readonly LogLine[] }>(() => ({ lines: [] }));

export const clearLog = (): void => useLog.setState({ lines: [] });

export function watchLog(): () => void {
  let count = 0;
  return onServerEvent((event) => {
    if (SILENT.has(event.type)) return;
    count += 1;
    const line = lineOf(event, count);
    useLog.setState(({ lines }) => ({ lines: [...lines.slice(1 - MOST), line] }));
  });
}

export function lineOf(event: ServerEvent, id: number): LogLine {
  const { type, time, job, node, message, state, origin, seconds, error } = event as ServerEvent & Details;
  const parts = [type.replaceAll("_", " "), job?.slice(0, 8), node, origin, state, message, error?.message];
  const took = seconds === undefined ? "" : ` · ${inWords(seconds)}`;
  const problem = type === "node_failed" || state === "failed" || type === "gap";
  return {
    id,
    time: (time ?? Date.now() / 1000) * 1000,
    text: parts.filter(Boolean).join(" · ") + took,
    problem,
    ...(type === "node_failed" && job !== undefined && node !== undefined && { failed: { job, node } }),
  };
}

interface Details {
  readonly message?: string;
  readonly state?: string;
  readonly origin?: string;
  readonly seconds?: number;
  readonly error?: { readonly message: string } | null;
}
