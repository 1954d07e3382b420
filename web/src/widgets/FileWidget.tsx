import { lookUp } from "@/model/document";
import { modelPicture } from "@/api/client";
import { loadPictured, useCatalogue } from "@/state/catalogue";
import { t } from "@/strings";
import { valueSchema } from "./kinds";
import { Picker } from "./Picker";
import type { WidgetProps } from "./registry";

/** A file of one of the folders that nodes read, such as a checkpoint. */
export function FileWidget({ controlId, input, value, onChange }: WidgetProps) {
  const folder = valueSchema(input.schema)["x-folder"] ?? "";
  const names = useCatalogue((state) => lookUp(state.folders, folder)) ?? [];
  const pictured = useCatalogue((state) => lookUp(state.pictured, folder));
  const text = typeof value === "string" && value !== "" ? value : t("chooseFile");
  return (
    <Picker
      controlId={controlId}
      label={input.name}
      text={text}
      chosen={String(value)}
      choices={names.map((name) => ({
        key: name,
        label: name,
        ...(pictured?.has(name) && { picture: modelPicture(folder, name) }),
      }))}
      onOpen={() => void loadPictured(folder)}
      onPick={onChange}
    />
  );
}
