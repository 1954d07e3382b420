import { lazy, type ComponentType } from "react";
import type { Json } from "@/model/document";
import type { InputType } from "@/state/nodeTypes";
import { BodyWidget } from "./BodyWidget";
import { ColourWidget } from "./ColourWidget";
import { FileWidget } from "./FileWidget";
import { ImageWidget } from "./ImageWidget";
import { JsonWidget } from "./JsonWidget";
import type { WidgetKind } from "./kinds";
import { MenuWidget } from "./MenuWidget";
import { NumberWidget } from "./NumberWidget";
import { PromptWidget } from "./PromptWidget";
import { SeedWidget } from "./SeedWidget";
import { SliderWidget } from "./SliderWidget";
import { SwitchWidget } from "./SwitchWidget";
import { TextWidget } from "./TextWidget";

export interface WidgetProps {
  /** Id for the control, to which the label points. */
  readonly controlId: string;
  readonly node: string;
  readonly input: InputType;
  readonly value: Json;
  /** Changes in a row become one step of undo. */
  readonly onChange: (value: Json) => void;
}

/** One component for each kind of widget; those with large code are loaded when first shown. */
export const WIDGETS: Readonly<Record<WidgetKind, ComponentType<WidgetProps>>> = {
  number: NumberWidget,
  slider: SliderWidget,
  menu: MenuWidget,
  text: TextWidget,
  prompt: PromptWidget,
  switch: SwitchWidget,
  colour: ColourWidget,
  seed: SeedWidget,
  image: ImageWidget,
  file: FileWidget,
  json: JsonWidget,
  mask: ImageWidget,
  body: BodyWidget,
  curve: lazy(() => import("./CurveWidget")),
};
