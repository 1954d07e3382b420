import { useEffect, useState } from "react";

const STRENGTH = 0.75;
const ODD = 0.02;

/**
 * A mask laid over its picture, as the address of a picture; nothing where they do not fit.
 *
 * It is shown as stripes of black and white, which are seen on a picture of any colour.
 *
 * @param stripes how many there are across.
 */
export function useOverlay(
  picture: string | undefined,
  mask: string | undefined,
  aspect: number,
  stripes: number,
): string | undefined {
  const [made, setMade] = useState<{ of: string; address: string | undefined }>();
  const key = `${picture ?? ""} ${mask ?? ""}`;
  useEffect(() => {
    let gone = false;
    if (picture !== undefined && mask !== undefined)
      void overlay(picture, mask, aspect, stripes).then((address) => gone || setMade({ of: key, address }));
    return () => void (gone = true);
  }, [picture, mask, aspect, stripes, key]);
  return made?.of === key ? made.address : undefined;
}

async function overlay(
  picture: string,
  mask: string,
  aspect: number,
  stripes: number,
): Promise<string | undefined> {
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
  stripe(pixels, levels, stripes);
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function stripe({ data, width, height }: ImageData, levels: Uint8ClampedArray, stripes: number): void {
  const half = Math.max(2, Math.round(Math.max(width, height) / stripes / 2));
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    const colour = Math.floor((x + y) / half) % 2 === 0 ? 0 : 255;
    const share = ((levels[at] ?? 0) / 255) * STRENGTH;
    for (const channel of [at, at + 1, at + 2])
      data[channel] = (data[channel] ?? 0) * (1 - share) + colour * share;
    data[at + 3] = 255;
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
