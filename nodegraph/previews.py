"""Small JPEGs of unfinished pictures."""

from __future__ import annotations

import io
from typing import Any

LONGEST = 512
QUALITY = 80


def encode_preview(image: Any, longest: int = LONGEST) -> bytes | None:
    """The first picture of a preview as JPEG, at most ``longest`` pixels wide and high.

    Args:
        image: a Pillow image; or an array or tensor of values in 0..1, ``[height, width, channels]`` or a
            batch of such; or anything whose ``pixels`` is one.

    Returns:
        ``None`` if it is nothing of the kind.
    """
    from PIL import Image as Pillow

    picture = image if isinstance(image, Pillow.Image) else _from_pixels(getattr(image, "pixels", image))
    if picture is None:
        return None
    picture = picture.convert("RGB")
    picture.thumbnail((longest, longest))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _from_pixels(pixels: Any) -> Any:
    import numpy as np
    from PIL import Image as Pillow

    if hasattr(pixels, "detach"):
        pixels = pixels.detach().float().cpu().numpy()
    if not isinstance(pixels, np.ndarray):
        return None
    array = pixels[0] if pixels.ndim == 4 else pixels
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        return None
    colours = np.nan_to_num(array, nan=0.5).clip(0, 1)  # as where the numbers are looked at: no black picture
    levels = (colours * 255).round().astype(np.uint8)
    return Pillow.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
