/**
 * Which browser tabs are open.
 *
 * Each holds a lock of its own as long as it lives. A page that came by plain HTTP has no locks: there each
 * answers when it is called.
 */
import { newId } from "@/model/ids";
import { ofTab } from "@/state/browserStores";
import { callRoll, type Roll } from "./rollCall";

const PREFIX = "nodegraph-window-";
const KEY = "nodegraph.window";

let own: Promise<string> | undefined;

/** The id of this browser tab: the same after a reload, another in a duplicate. */
export function thisWindow(): Promise<string> {
  own ??= claimId();
  return own;
}

async function claimId(): Promise<string> {
  const before = ofTab.read(KEY);
  const id = before !== undefined && (await hold(before)) ? before : await fresh();
  ofTab.write(KEY, id);
  return id;
}

async function fresh(): Promise<string> {
  const id = newId();
  await hold(id);
  return id;
}

// Older pages of plain HTTP lack them, whatever the types say.
const locks = (): LockManager | undefined => navigator.locks as LockManager | undefined;

let roll: Roll | undefined;
const calls = (): Roll => (roll ??= callRoll("nodegraph-windows"));

/** Take the id until the page goes; `false`: another tab has it. */
async function hold(id: string): Promise<boolean> {
  const there = locks();
  if (there) return lock(there, id);
  if ((await calls().present()).has(id)) return false;
  calls().answerAs(id);
  return true;
}

function lock(there: LockManager, id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    there
      .request(PREFIX + id, { ifAvailable: true }, (taken) => {
        resolve(taken !== null);
        return taken === null ? undefined : new Promise(() => undefined); // held for good
      })
      .catch(reject);
  });
}

export async function openWindows(): Promise<ReadonlySet<string>> {
  const there = locks();
  if (!there) return calls().present();
  const { held = [] } = await there.query();
  const names = held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
  return new Set(names);
}
