import { loadFolders } from "@/state/catalogue";

interface Uploaded {
  readonly uploads: readonly { readonly name: string; readonly subfolder: string }[];
}

/** Put a file among the inputs; gives the name that nodes know it by. */
export async function upload(file: Blob, name: string): Promise<string> {
  const form = new FormData();
  form.append("file", file, name);
  const answer = await fetch("/api/v1/uploads", { method: "POST", body: form });
  if (!answer.ok) {
    const { detail } = (await answer.json()) as { detail?: string };
    throw new Error(detail ?? answer.statusText);
  }
  const [kept] = ((await answer.json()) as Uploaded).uploads;
  if (kept === undefined) throw new Error("the server kept no file");
  await loadFolders();
  return kept.subfolder === "" ? kept.name : `${kept.subfolder}/${kept.name}`;
}

/** Where the picture of an input file is shown from. */
export function inputUrl(name: string): string {
  const parts = name.split("/");
  const file = encodeURIComponent(parts.pop() ?? "");
  const folder = parts.join("/");
  return `/api/v1/uploads/${file}${folder === "" ? "" : `?subfolder=${encodeURIComponent(folder)}`}`;
}

/** The first picture among what was dropped or pasted. */
export function pictureIn(data: DataTransfer | null): File | undefined {
  return [...(data?.files ?? [])].find((file) => file.type.startsWith("image/"));
}
