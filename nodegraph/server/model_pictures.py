"""Pictures of models, which people tell them by: one beside the file, or one inside it."""

from __future__ import annotations

import base64
import binascii
import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from nodegraph.companions import picture_names
from nodegraph.files import Folders

SIZE = 256
FORMATS = ("PNG", "JPEG", "WEBP")
SAFETENSORS = (".safetensors", ".sft")
MAX_HEADER = 32 << 20
MAX_INSIDE = 8 << 20
"""Characters of a picture that a file carries; larger ones are not shown."""
INSIDE = "modelspec.thumbnail"
"""Stability AI's Model Spec: a data URL in the metadata of a safetensors file."""


class NoPictureError(Exception):
    """A model has no picture, or one that cannot be read."""


def has_picture(folders: Folders, folder: str, name: str) -> bool:
    """Whether there is a picture of a model; whether it can be read is seen when it is."""
    model = _look(folders, folder, name)
    return model is not None and (_beside(folders, folder, name) is not None or _is_inside(model))


def thumbnail(folders: Folders, folder: str, name: str, max_pixels: int) -> bytes:
    """The picture of a model as WebP, at most ``SIZE`` pixels wide and high.

    Raises:
        NoPictureError: it has none, or one that cannot be read.
    """
    beside = _beside(folders, folder, name)
    if beside is not None:
        with beside.open("rb") as stream:
            return _small(stream, max_pixels)
    model = _look(folders, folder, name)
    if model is None:
        raise NoPictureError("there is no such file")
    inside = _metadata(model).get(INSIDE)
    if not isinstance(inside, str):
        raise NoPictureError("none lies beside the file or in it")
    return _small(io.BytesIO(_decoded(inside)), max_pixels)


def _look(folders: Folders, folder: str, name: str) -> Path | None:
    try:
        return folders.look(folder, name)
    except OSError:
        return None


def _beside(folders: Folders, folder: str, name: str) -> Path | None:
    found = (_look(folders, folder, picture) for picture in picture_names(name))
    return next((path for path in found if path is not None and path.is_file()), None)


def _is_inside(model: Path) -> bool:
    try:
        status = model.stat()
    except OSError:
        return False
    return _carries(model, status.st_mtime_ns, status.st_size)


@lru_cache(4096)
def _carries(model: Path, changed: int, size: int) -> bool:
    """Whether a file carries a picture; the header is read once as long as the file stays as it is."""
    return isinstance(_metadata(model).get(INSIDE), str)


def _metadata(model: Path) -> dict[str, Any]:
    """The free text in the header of a safetensors file; nothing where it is damaged or no such file."""
    if model.suffix not in SAFETENSORS or not model.is_file():
        return {}
    try:
        with model.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length)) if length <= MAX_HEADER else {}
    except (OSError, ValueError, RecursionError):
        return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return found if isinstance(found, dict) else {}


def _decoded(url: str) -> bytes:
    head, _, data = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64") or len(data) > MAX_INSIDE:
        raise NoPictureError("the picture in the file is none that is shown")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise NoPictureError("the picture in the file is damaged") from error


def _small(stream: BinaryIO, max_pixels: int) -> bytes:
    from PIL import Image

    result = io.BytesIO()
    try:
        with Image.open(stream, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise NoPictureError(f"its picture has over {max_pixels} pixels")
            image.thumbnail((SIZE, SIZE))
            image.convert("RGBA" if image.has_transparency_data else "RGB").save(result, "webp", quality=85)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NoPictureError("its picture cannot be read") from error
    return result.getvalue()
