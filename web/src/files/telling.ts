import { tell } from "@/state/announcer";
import { wordsOf } from "@/state/words";

/** Do something with the server; say what went wrong, in its words. */
export async function telling(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell(wordsOf(error));
  }
}
