/** Whether the server knows who is here. */
import { create } from "zustand";
import { getSystem, logIn, logOut, type SystemView } from "@/api/client";
import { onUnknown } from "@/api/http";
import { ApiError } from "@/api/problems";
import { ofTab } from "./browserStores";

interface Session {
  /** `needed`: it wants a token. `again`: it does since the editor is open. */
  readonly status: "asking" | "in" | "needed" | "again";
  /** Whether there is a session to end; a server on this machine alone asks nobody. */
  readonly endable: boolean;
  /** What the server bounds, by name. */
  readonly limits: SystemView["limits"];
}

const ENDABLE = "nodegraph.session";

export const useSession = create<Session>(() => ({
  status: "asking",
  endable: ofTab.read(ENDABLE) !== undefined,
  limits: {},
}));

/** Ask the server whether it lets us in. Where it does not answer, that is told elsewhere. */
export async function findSession(): Promise<void> {
  try {
    const { limits } = await getSystem();
    useSession.setState({ status: "in", limits });
  } catch (error) {
    useSession.setState({ status: isRefusal(error) ? "needed" : "in" });
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Throws an `ApiError` if the token is not one of the server's. The cookie is the server's; nothing is kept here. */
export async function signIn(token: string): Promise<void> {
  await logIn(token);
  noteEndable(true);
  useSession.setState({ status: "in", endable: true });
  await findSession();
}

/** Ask for a token while the editor stays as it is; gives whether there is an editor that waits for it. */
function signInAgain(): Promise<boolean> {
  const isIn = () => useSession.getState().status === "in";
  if (!isIn() && useSession.getState().status !== "again") return Promise.resolve(false);
  useSession.setState({ status: "again" });
  return new Promise((resolve) => {
    const stop = useSession.subscribe(() => {
      if (!isIn()) return;
      stop();
      resolve(true);
    });
  });
}

onUnknown(signInAgain);

export async function signOut(): Promise<void> {
  await logOut();
  noteEndable(false);
  useSession.setState({ status: "needed", endable: false });
}

function noteEndable(endable: boolean): void {
  if (endable) ofTab.write(ENDABLE, "");
  else ofTab.remove(ENDABLE);
}

/** The most jobs that the server takes in one request. */
export const mostInBatch = (): number => useSession.getState().limits["max_batch"] ?? Infinity;
