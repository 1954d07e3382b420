/** Colours by type: known types have fixed hues, others one made from their name. */
const HUES: Readonly<Record<string, number>> = {
  Model: 265,
  Clip: 48,
  Vae: 0,
  Conditioning: 28,
  Latent: 310,
  Image: 205,
  Mask: 150,
  ControlNet: 170,
  Generator: 190,
  int: 95,
  float: 110,
  str: 70,
  bool: 340,
};

function hueOf(text: string): number {
  let hash = 7;
  for (const letter of text) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 100_003;
  return hash % 360;
}

/** The colour of a socket or wire; `Any` and type variables are grey. `list[T]` has the colour of `T`. */
export function typeColour(type: string): string {
  const first = type.replace(/^list\[(.*)\]$/, "$1").split(" | ")[0] ?? type;
  const plain = first.replace(/^list\[(.*)\]$/, "$1");
  if (plain === "Any" || /^[A-Z]$/.test(plain)) return "var(--grey-6)";
  return `hsl(${HUES[plain] ?? hueOf(plain)} var(--saturation) var(--lightness))`;
}

/** The stripe of a card, by the first part of its category. */
export function categoryColour(category: string): string {
  return `hsl(${hueOf(category.split("/")[0] ?? "")} 40% var(--lightness))`;
}

/** What a person may give a card or a frame. Kept in the file by name, shown in both themes. */
export const CARD_COLOURS = ["red", "orange", "yellow", "green", "blue", "purple"] as const;
const CARD_HUES: Record<(typeof CARD_COLOURS)[number], number> = {
  red: 0,
  orange: 28,
  yellow: 48,
  green: 140,
  blue: 212,
  purple: 275,
};

/** A colour of a file as CSS; what is not one of ours, or no plain colour, is left out. */
export function ownColour(color: string | undefined): string | undefined {
  if (color === undefined) return undefined;
  const hue = (CARD_HUES as Record<string, number | undefined>)[color];
  if (hue !== undefined) return `hsl(${hue} 45% var(--lightness))`;
  return /^#[0-9a-f]{3,8}$/i.test(color) ? color : undefined;
}

/** Colours as a canvas needs them, their variables replaced; each is looked up once for a drawing. */
export class Colours {
  private readonly known = new Map<string, string>();

  constructor(private readonly style: CSSStyleDeclaration) {}

  of(colour: string): string {
    const found = this.known.get(colour) ?? resolved(this.style, colour);
    this.known.set(colour, found);
    return found;
  }
}

function resolved(style: CSSStyleDeclaration, colour: string): string {
  return colour.replace(/var\((--[\w-]+)\)/g, (_, name: string) => style.getPropertyValue(name).trim());
}
