"""Reading picture files, whatever their mode; files are not trusted."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
"""Formats that Pillow decodes by itself; others may start programs of the system."""

MAX_PIXELS = 2**26
"""The largest picture that is read (8192 x 8192): 800 MB as float32 RGB."""

ORIENTATION = 0x0112
QUARTER_TURNS = (5, 6, 7, 8)

_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    Pillow.DecompressionBombError,
    Pillow.DecompressionBombWarning,
)


class UnreadablePictureError(Exception):
    """A file is no picture, is damaged, or is too large."""


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of the picture as it will be read; only the header is.

    Raises:
        UnreadablePictureError: it cannot be read, or has more than ``MAX_PIXELS`` pixels.
    """
    with _opened(path) as picture:
        width, height = picture.size
        return (height, width) if picture.getexif().get(ORIENTATION) in QUARTER_TURNS else (width, height)


def read_picture(source: Path | BinaryIO) -> tuple[torch.Tensor, torch.Tensor]:
    """The (first) picture of a file, given by path or open, turned upright as its EXIF data says.

    Returns:
        Colour, float32 ``[height, width, 3]`` in 0..1, and opacity, float32 ``[height, width]`` in 0..1.

    Raises:
        UnreadablePictureError: it cannot be read, or has more than ``MAX_PIXELS`` pixels.
    """
    with _opened(source) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith(("I", "F")):
            grey = _unit_grey(upright)
            return torch.from_numpy(grey)[..., None].repeat(1, 1, 3), torch.ones(grey.shape)
        if not upright.has_transparency_data:
            colour = _unit(upright.convert("RGB"))
            return colour, torch.ones(colour.shape[:2])
        rgba = _unit(upright.convert("RGBA"))
        return rgba[..., :3].contiguous(), rgba[..., 3].contiguous()


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[Pillow.Image]:
    try:
        with Pillow.open(source, formats=FORMATS) as picture:
            _check_size(*picture.size)
            yield picture
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise UnreadablePictureError(f"the picture has more than {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise UnreadablePictureError(f"not a picture; {', '.join(FORMATS)} files would do") from error
    except _DECODER_ERRORS as error:
        raise UnreadablePictureError(f"the picture is damaged ({error})") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadablePictureError(
            f"{width} x {height} is more than the {MAX_PIXELS} pixels allowed; scale it down"
        )


def _unit(picture: Pillow.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)


def _unit_grey(picture: Pillow.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Grey of 16 bits or of floats, as 0..1."""
    grey = np.asarray(picture).astype(np.float32)
    if not np.isfinite(grey).all():
        raise UnreadablePictureError("some of its pixels are not numbers (NaN or infinite)")
    return (grey if picture.mode == "F" else grey / 65535).clip(0, 1)
