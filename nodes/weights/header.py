"""What a safetensors file holds, told by its header alone; no weight is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

MAX_TENSORS = 100_000
"""In one file; the largest models have some thousands."""
FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})


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

    def below(self, prefix: str) -> Header:
        """The tensors whose names begin with a prefix, by what follows it."""
        if not prefix:
            return self
        names = [name for name in self.shapes if name.startswith(prefix)]
        return Header(
            {name.removeprefix(prefix): self.shapes[name] for name in names},
            {name.removeprefix(prefix): self.dtypes[name] for name in names},
            self.metadata,
        )

    def has(self, *names: str) -> bool:
        """Whether all of these tensors are there."""
        return all(name in self.shapes for name in names)

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """The shape of a tensor of weights.

        Raises:
            UnknownFileError: it is missing, has another number of dimensions or an empty one.
        """
        shape = self.shapes.get(name)
        if shape is None:
            raise UnknownFileError(f"tensor {name!r} is missing")
        if len(shape) != rank or 0 in shape:
            raise UnknownFileError(
                f"tensor {name!r} is {list(shape)}; {rank} dimensions are wanted, none empty"
            )
        return shape

    def number(self, pattern: str) -> int:
        """How many tensors there are of a numbered series, such as ``blocks.{}.weight``, from 0 on."""
        return next(index for index in count() if pattern.format(index) not in self.shapes)


def read_header(path: Path) -> Header:
    """The header of a safetensors file.

    Raises:
        UnknownFileError: it is no safetensors file, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    if path.is_dir():
        raise UnknownFileError("a folder, not a safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            if len(file.keys()) > MAX_TENSORS:
                raise UnknownFileError(f"a file of {len(file.keys())} tensors; up to {MAX_TENSORS} are read")
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            dtypes = {name: str(part.get_dtype()) for name, part in slices.items()}
            return Header(shapes, dtypes, file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise UnknownFileError(f"not a readable safetensors file ({error})") from error
