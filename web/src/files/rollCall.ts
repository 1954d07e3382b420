/** Which pages of this editor are open, found out by calling: each answers with its id. */

export interface Roll {
  /** From now on, answer as this. */
  readonly answerAs: (id: string) => void;
  /** The ids of those that answer in time, and of this page. */
  readonly present: () => Promise<ReadonlySet<string>>;
}

type Message = { readonly kind: "call" } | { readonly kind: "here"; readonly id: string };

/** A page that is open answers within milliseconds, also behind others. */
const ANSWER_MS = 200;

export function callRoll(name: string): Roll {
  const channel = new BroadcastChannel(name);
  let own: string | undefined;
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "call" && own !== undefined) post({ kind: "here", id: own });
  });
  const post = (message: Message) => channel.postMessage(message);
  return {
    answerAs: (id) => {
      own = id;
    },
    present: async () => {
      const found = new Set(own === undefined ? [] : [own]);
      const hear = ({ data }: MessageEvent<Message>) => void (data.kind === "here" && found.add(data.id));
      channel.addEventListener("message", hear);
      post({ kind: "call" });
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
      channel.removeEventListener("message", hear);
      return found;
    },
  };
}
