import { allTypes, catalogueThere } from "@/state/catalogue";
import { tell } from "@/state/announcer";
import type { InputType, NodeType } from "@/state/nodeTypes";
import { t } from "@/strings";
import { widgetKind } from "@/widgets/kinds";
import { upload } from "@/widgets/uploads";
import { addNodeOf } from "./actions";
import { placeInView, type WindowPoint } from "./placeInView";

const LOADER = "LoadImage";

/** Upload a picture, and put a node that loads it on the canvas. */
export async function addPicture(file: File, place?: WindowPoint): Promise<void> {
  await catalogueThere();
  const loader = pictureLoader();
  if (loader === undefined) return tell(t("saidNoLoader"));
  try {
    const name = await upload(file, file.name || "pasted.png");
    addNodeOf(loader.type, placeInView(place), undefined, { [loader.input.name]: name });
  } catch (error) {
    tell(t("saidUploadFailed", { why: error instanceof Error ? error.message : String(error) }));
  }
}

/** The node that loads pictures, and its input that names one. */
function pictureLoader(): { type: NodeType; input: InputType } | undefined {
  const type = allTypes().find(({ id }) => id === LOADER);
  const input = type?.inputs.find((candidate) => widgetKind(candidate) === "image");
  return type && input && { type, input };
}
