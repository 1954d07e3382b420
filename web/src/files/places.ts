/** What is known of the saved workflows that are open: the tag that the next save must name. */
import { create } from "zustand";

interface Places {
  readonly etags: Readonly<Record<string, string>>;
  /** Saved by someone else since it was read here. */
  readonly changed: ReadonlySet<string>;
}

export const usePlaces = create<Places>(() => ({ etags: {}, changed: new Set() }));

export const etagOf = (place: string): string | undefined => usePlaces.getState().etags[place];

/** What stands at a place is what is open here. */
export function noteEtag(place: string, etag: string): void {
  usePlaces.setState(({ etags, changed }) => ({
    etags: { ...etags, [place]: etag },
    changed: new Set([...changed].filter((other) => other !== place)),
  }));
}

/** Nothing stands at a place any more: saving there makes it anew. */
export function forgetPlace(place: string): void {
  usePlaces.setState(({ etags: { [place]: _, ...etags }, changed }) => ({
    etags,
    changed: new Set([...changed].filter((other) => other !== place)),
  }));
}

/** Another tab or person saved at a place; `etag` is what stands there now. */
export function noteChange(place: string, etag: string): void {
  const known = etagOf(place);
  if (known === undefined || known === etag) return;
  usePlaces.setState(({ changed }) => ({ changed: new Set([...changed, place]) }));
}
