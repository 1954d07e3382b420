/** Which browser tabs are open: each holds a lock of its own as long as it lives. */

const PREFIX = "nodegraph-window-";
const KEY = "nodegraph.window";

let own: Promise<string> | undefined;

/** The id of this browser tab: the same after a reload, another in a duplicate. */
export function thisWindow(): Promise<string> {
  own ??= claimId();
  return own;
}

async function claimId(): Promise<string> {
  const before = sessionStorage.getItem(KEY);
  const id = before !== null && (await hold(before)) ? before : await fresh();
  sessionStorage.setItem(KEY, id);
  return id;
}

async function fresh(): Promise<string> {
  const id = crypto.randomUUID();
  await hold(id);
  return id;
}

/** Take the lock until the page goes; `false`: another tab has it. */
function hold(id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(PREFIX + id, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => undefined); // held for good
      })
      .catch(reject);
  });
}

export async function openWindows(): Promise<Set<string>> {
  const { held = [] } = await navigator.locks.query();
  const names = held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
  return new Set(names);
}
