import type { Looks } from "@/model/tensors";
import type { StringKey } from "@/strings";

/** What explains a picture of a tensor. */
export const HELP: Readonly<Record<Looks, StringKey>> = {
  image: "kind_image",
  mask: "maskHelp",
  channels: "latentHelp",
  colours: "coloursHelp",
  falseColours: "falseColoursHelp",
};
