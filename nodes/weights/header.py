"""What a safetensors file holds, told by its header alone; no weight is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})


class UnknownFileError(Exception):
    """A file is damaged, or its tensors are not those of a known architecture."""


@dataclass(frozen=True)
class Header:
    """Names, shapes and types of the tensors in a safetensors file.

    Attributes:
        shapes: shape by name of the tensor.
        dtypes: type by name, as safetensors writes it: ``F32``, ``BF16``, ``I64``, …
        metadata: the free text that the file carries.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """The header of a safetensors file.

    Raises:
        UnknownFileError: it is no safetensors file, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            dtypes = {name: str(part.get_dtype()) for name, part in slices.items()}
            return Header(shapes, dtypes, file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise UnknownFileError(f"not a readable safetensors file ({error})") from error
