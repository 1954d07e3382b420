/** The clipboard of the system; a page that came by plain HTTP has an older way to write to it, and none to read. */

// Pages of plain HTTP lack it, whatever the types say.
const clipboard = (): Clipboard | undefined => navigator.clipboard as Clipboard | undefined;

/** Gives whether the browser let it. */
export async function writeClipboard(text: string): Promise<boolean> {
  return (
    (await allowed(() =>
      clipboard()
        ?.writeText(text)
        .then(() => true),
    )) ?? copyByCommand(text)
  );
}

/** The text on the clipboard; `undefined`: the browser gives it only when a person presses the key. */
export function readClipboard(): Promise<string | undefined> {
  return allowed(() => clipboard()?.readText());
}

async function allowed<T>(act: () => Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof DOMException) return undefined; // not allowed, or not in front
    throw error;
  }
}

function copyByCommand(text: string): boolean {
  let given = false;
  const give = (event: ClipboardEvent) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    given = event.clipboardData !== null;
  };
  document.addEventListener("copy", give, { capture: true, once: true });
  const done = document.execCommand("copy");
  document.removeEventListener("copy", give, { capture: true });
  return done && given;
}
