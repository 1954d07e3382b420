"""What a file is, by its content: what may be uploaded, and what a browser may show."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from nodegraph.server.problems import Problem
from nodegraph.server.security.png import BadPngError, check_png

HEAD_BYTES = 4096
UNKNOWN = "application/octet-stream"
SAFETENSORS = "application/vnd.safetensors"
JSON = "application/json"
TEXT = "text/plain"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff", "image/avif")
SHOWN = (*PICTURES, "audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "video/mp4", "video/webm")
"""What a browser may show in place; all else it is told to save."""

FORMATS = tuple(type.removeprefix("image/").upper() for type in PICTURES)
"""The same in Pillow's words."""
UPLOADED = (*PICTURES, SAFETENSORS, JSON, TEXT)
"""What may be uploaded."""
SUFFIXES = {
    "image/png": (".png", ".apng"),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/bmp": (".bmp", ".dib"),
    "image/tiff": (".tif", ".tiff"),
    "image/avif": (".avif",),
    SAFETENSORS: (".safetensors", ".sft"),
    JSON: (".json",),
    TEXT: (".txt", ".md", ".csv"),
}
"""What the names of uploads may end with, by type; ``a.html`` is refused whatever is in it."""
PICTURE_SUFFIXES = tuple(suffix for type in PICTURES for suffix in SUFFIXES[type])
PICKLED = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".npy", ".npz")

MAX_SAFETENSORS_HEADER = 100 << 20


def refused(name: str, why: str, status: int = 415, code: str = "unsupported_media_type") -> Problem:
    """The answer to a file that is not taken."""
    return Problem(status, code, f"{name}: {why}")


def sniff(head: bytes) -> str:
    """The media type that the first ``HEAD_BYTES`` of a file say, ``UNKNOWN`` for any that may run."""
    for type, looks in _SIGNATURES:
        if looks(head):
            return type
    return UNKNOWN


def media_type_of(stream: BinaryIO) -> str:
    """The media type of an open file, which is read from its start and wound back."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return sniff(head)


def check_upload(path: Path, name: str, *, max_pixels: int) -> str:
    """The media type of an uploaded file that is fit to be kept as ``name``.

    Pixels are not decoded: the size that a picture's header tells, and what its texts unpack to, decide.

    Raises:
        Problem: it is of a type that is not taken, is named as another type, is damaged or would unpack to
            too much.
    """
    suffix = Path(name).suffix.lower()
    if suffix in PICKLED:
        raise refused(name, "such files can hold programs (pickle); weights are taken as .safetensors only")
    with path.open("rb") as stream:
        type = media_type_of(stream)
    if type == TEXT and suffix in SUFFIXES[JSON]:
        type = JSON
    if type not in UPLOADED:
        raise refused(name, "pictures, .safetensors, .json and text are taken, and its content is neither")
    allowed = PICTURE_SUFFIXES if type in PICTURES else SUFFIXES[type]
    if suffix not in allowed:
        raise refused(name, f"it holds {type}, so its name should end with {' or '.join(SUFFIXES[type])}")
    _CHECKS[type](path, name, max_pixels)
    return type


def _check_picture(path: Path, name: str, max_pixels: int) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with path.open("rb") as stream:
            if media_type_of(stream) == "image/png":
                check_png(stream)
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
    except BadPngError as error:
        raise refused(name, str(error), 422, "invalid_request") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name, max_pixels) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error) as error:
        raise refused(
            name, f"the picture is damaged ({type(error).__name__})", 422, "invalid_request"
        ) from None
    if width * height > max_pixels:
        raise _too_many_pixels(name, max_pixels)


def _too_many_pixels(name: str, max_pixels: int) -> Problem:
    return refused(name, f"the picture has more than {max_pixels} pixels", 413, "too_large")


def _check_safetensors(path: Path, name: str, max_pixels: int) -> None:
    """Whether header and size fit together; the tensors themselves are plain numbers."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        size = path.stat().st_size
        header = stream.read(length) if length <= min(MAX_SAFETENSORS_HEADER, size - 8) else b""
    try:
        end = max(
            (_end(entry) for key, entry in json.loads(header).items() if key != "__metadata__"), default=0
        )
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise refused(name, "its safetensors header is damaged", 422, "invalid_request") from None
    if end != size - 8 - length:
        raise refused(name, "its safetensors header and its size do not fit", 422, "invalid_request")


def _end(entry: dict[str, list[int]]) -> int:
    return int(entry["data_offsets"][1])


def _check_text(path: Path, name: str, max_pixels: int) -> None:
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        raise refused(name, "it is not text in UTF-8", 422, "invalid_request") from None


def _check_json(path: Path, name: str, max_pixels: int) -> None:
    from nodegraph.errors import WorkflowError
    from nodegraph.workflow.strict_json import parse_json

    try:
        parse_json(path.read_bytes())
    except WorkflowError as error:
        raise refused(name, f"it is not JSON ({error})", 422, "invalid_request") from None


_CHECKS: dict[str, Callable[[Path, str, int], None]] = {
    **dict.fromkeys(PICTURES, _check_picture),
    SAFETENSORS: _check_safetensors,
    JSON: _check_json,
    TEXT: _check_text,
}

PNG = b"\x89PNG\r\n\x1a\n"


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands


def _is_safetensors(head: bytes) -> bool:
    length = int.from_bytes(head[:8], "little")
    return 2 <= length <= MAX_SAFETENSORS_HEADER and head[8:10] in (b'{"', b"{}", b"{ ")


def _is_text(head: bytes) -> bool:
    """Whether it is text that no browser, nor any program that goes by the content, takes for a page."""
    with suppress(UnicodeDecodeError):
        text = head.decode("utf-8-sig") if len(head) < HEAD_BYTES else _cut(head)
        plain = not any(letter < " " and letter not in "\t\n\r\f" for letter in text)
        return bool(text) and plain and not text.lstrip().startswith("<") and not head.startswith(b"#!")
    return False


def _cut(head: bytes) -> str:
    """Text that may end in the middle of a letter."""
    for end in range(len(head), len(head) - 4, -1):
        with suppress(UnicodeDecodeError):
            return head[:end].decode("utf-8-sig")
    return head.decode("utf-8-sig")


_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", _starts(PNG)),
    ("image/jpeg", _starts(b"\xff\xd8\xff")),
    ("image/webp", _riff(b"WEBP")),
    ("image/gif", _starts(b"GIF87a", b"GIF89a")),
    ("image/bmp", lambda head: head[:2] == b"BM" and head[6:10] == bytes(4)),
    ("image/tiff", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("image/avif", _brand(b"avif", b"avis")),
    ("video/mp4", _brand(b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"iso5", b"iso6")),
    ("video/webm", _starts(b"\x1a\x45\xdf\xa3")),
    ("audio/wav", _riff(b"WAVE")),
    ("audio/flac", _starts(b"fLaC")),
    ("audio/ogg", _starts(b"OggS")),
    ("audio/mpeg", _starts(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    (SAFETENSORS, _is_safetensors),
    (TEXT, _is_text),
)
