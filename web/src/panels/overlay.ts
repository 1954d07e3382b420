import { useEffect, useState } from "react";

/** Red, as masks are shown elsewhere: few pictures are so all over. */
const TINT = [255, 48, 80] as const;
const STRENGTH = 0.65;
const ODD = 0.02;

/** A mask laid over its picture in a colour, as the address of a picture; nothing where they do not fit. */
export function useOverlay(
  picture: string | undefined,
  mask: string | undefined,
  aspect: number,
): string | undefined {
  const [made, setMade] = useState<{ of: string; address: string | undefined }>();
  const key = `${picture ?? ""} ${mask ?? ""}`;
  useEffect(() => {
    let gone = false;
    if (picture !== undefined && mask !== undefined)
      void overlay(picture, mask, aspect).then((address) => gone || setMade({ of: key, address }));
    return () => void (gone = true);
  }, [picture, mask, aspect, key]);
  return made?.of === key ? made.address : undefined;
}

async function overlay(picture: string, mask: string, aspect: number): Promise<string | undefined> {
  const [below, above] = await Promise.all([loaded(picture), loaded(mask)]);
  if (below === undefined || above === undefined) return undefined;
  const { naturalWidth: width, naturalHeight: height } = below;
  if (Math.abs(width / height / aspect - 1) > ODD) return undefined;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [above.naturalWidth, above.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return undefined;
  context.drawImage(above, 0, 0);
  const levels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  context.drawImage(below, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  tint(pixels.data, levels);
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function tint(pixels: Uint8ClampedArray, levels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const share = ((levels[at] ?? 0) / 255) * STRENGTH;
    TINT.forEach((colour, channel) => {
      pixels[at + channel] = (pixels[at + channel] ?? 0) * (1 - share) + colour * share;
    });
    pixels[at + 3] = 255;
  }
}

async function loaded(address: string): Promise<HTMLImageElement | undefined> {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch (error) {
    if (error instanceof DOMException) return undefined; // it is gone, or no picture
    throw error;
  }
  return image;
}
