import { upload as send } from "@/api/client";
import { loadFolders } from "@/state/catalogue";

/** Put a file among the inputs; gives the name that nodes know it by. */
export async function upload(file: Blob, name: string): Promise<string> {
  const kept = await send(new File([file], name, { type: file.type }));
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
