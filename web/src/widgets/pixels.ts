/** A new drawing surface of a size in pixels. */
export function layer(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser has no canvas");
  return context;
}

/** A picture as it stands in its file: also the colours of what is transparent, which a canvas would forget. */
export async function readBitmap(address: string): Promise<ImageBitmap> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return createImageBitmap(await response.blob(), { premultiplyAlpha: "none" });
}

/** Red, green, blue and opacity of each pixel, from the top left. Without WebGL the transparent ones are black. */
export function pixelsOf(bitmap: ImageBitmap): Uint8ClampedArray<ArrayBuffer> {
  return throughWebGl(bitmap) ?? throughCanvas(bitmap);
}

function throughWebGl(bitmap: ImageBitmap): Uint8ClampedArray<ArrayBuffer> | undefined {
  const { width, height } = bitmap;
  const gl = document.createElement("canvas").getContext("webgl2");
  if (gl === null || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
  const pixels = new Uint8Array(width * height * 4);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(
    gl.FRAMEBUFFER,
    gl.COLOR_ATTACHMENT0,
    gl.TEXTURE_2D,
    gl.getParameter(gl.TEXTURE_BINDING_2D),
    0,
  );
  const complete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
  if (complete) gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  const failed = !complete || gl.getError() !== gl.NO_ERROR;
  gl.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have few
  return failed ? undefined : new Uint8ClampedArray(pixels.buffer);
}

function throughCanvas(bitmap: ImageBitmap): Uint8ClampedArray<ArrayBuffer> {
  const made = layer(bitmap.width, bitmap.height);
  made.drawImage(bitmap, 0, 0);
  return made.getImageData(0, 0, bitmap.width, bitmap.height).data;
}
