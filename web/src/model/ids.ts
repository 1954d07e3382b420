/** Ids of 128 random bits. A page that came by plain HTTP has no `crypto.randomUUID`, but it has this. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
