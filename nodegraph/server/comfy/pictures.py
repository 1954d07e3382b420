"""Pictures as ``/view`` gives them and ``/upload/mask`` makes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph.server.comfy.requests import BadRequestError
from nodegraph.server.security.media import FORMATS

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_FORMATS = ("webp", "jpeg")
DEFAULT_QUALITY = 90


def preview(path: Path, wanted: str, max_pixels: int) -> tuple[bytes, str]:
    """A picture made smaller to send, and its media type.

    Args:
        path: where the picture lies.
        wanted: ``webp;90``: format and quality; ``webp`` at 90 where it says something else.
        max_pixels: the largest picture that is read.

    Raises:
        BadRequestError: the file is no picture.
    """
    format, _, quality = wanted.partition(";")
    format = format if format in PREVIEW_FORMATS else PREVIEW_FORMATS[0]
    image = _open(path, max_pixels)
    if format == "jpeg" or image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGB")
    percent = min(max(int(quality), 1), 100) if quality.isdecimal() and len(quality) < 4 else DEFAULT_QUALITY
    return _bytes(image, format, quality=percent), f"image/{format}"


def colours(path: Path, max_pixels: int) -> bytes:
    """A picture without its transparency, as PNG."""
    return _bytes(_open(path, max_pixels).convert("RGB"), "png")


def opacity(path: Path, max_pixels: int) -> bytes:
    """A black picture with the transparency of another, as PNG; opaque where that has none."""
    from PIL import Image as Images

    alpha = _open(path, max_pixels).convert("RGBA").getchannel("A")
    black = Images.new("RGBA", alpha.size)
    black.putalpha(alpha)
    return _bytes(black, "png")


def masked(original: Path, mask: Path, max_pixels: int) -> bytes:
    """The original with the opacity of the mask, as PNG.

    Raises:
        BadRequestError: one of them is no picture, or they are not of one size.
    """
    picture, opacity = (
        _open(original, max_pixels).convert("RGBA"),
        _open(mask, max_pixels).convert("RGBA").getchannel("A"),
    )
    if picture.size != opacity.size:
        width, height = picture.size
        raise BadRequestError("invalid_mask", f"the mask must be {width} x {height} pixels, like its picture")
    picture.putalpha(opacity)
    return _bytes(picture, "png")


def _open(path: Path, max_pixels: int) -> Image:
    from PIL import Image as Images
    from PIL import UnidentifiedImageError

    try:
        with Images.open(path, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise BadRequestError("too_large", f"{path.name} has over {max_pixels} pixels", status=413)
            image.load()
            return image.copy()
    except (UnidentifiedImageError, Images.DecompressionBombError, OSError, SyntaxError) as error:
        raise BadRequestError("not_a_picture", f"{path.name} cannot be read as a picture") from error


def _bytes(image: Image, format: str, **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()
