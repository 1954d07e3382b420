"""Networks stored as one ``torch.nn.Sequential``: their layers, told by the header of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from nodes.weights.header import FLOATS, Header, UnknownFileError

_LAYER = re.compile(r"(?P<prefix>.*?)(?P<index>\d{1,4})\.(?P<part>[a-z_]+)", re.DOTALL)

_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Layers:
    """The tensors of a ``Sequential``.

    Attributes:
        prefix: what stands before the index of every layer, such as ``main.``.
        parts: for each index, in order, the shape of each tensor of that layer by its name.
    """

    prefix: str
    parts: Mapping[int, Mapping[str, tuple[int, ...]]]

    def with_rank(self, rank: int) -> list[int]:
        """Indices of the layers whose ``weight`` has so many dimensions."""
        return [index for index, parts in self.parts.items() if len(parts.get("weight", ())) == rank]

    def weight(self, index: int) -> tuple[int, ...]:
        """Shape of the weight of a layer."""
        return self.parts[index]["weight"]

    def name(self, index: int, part: str = "weight") -> str:
        """Name of a tensor in the file."""
        return f"{self.prefix}{index}.{part}"


def layers_of(header: Header) -> Layers:
    """Read every tensor as part of one ``Sequential``.

    Raises:
        UnknownFileError: a name does not fit, a tensor is empty, or weights are no floating-point numbers.
    """
    prefixes: set[str] = set()
    parts: dict[int, dict[str, tuple[int, ...]]] = {}
    for name, shape in header.shapes.items():
        match = _LAYER.fullmatch(name)
        if match is None:
            raise UnknownFileError(f"tensor {name!r} is not one of a numbered layer such as 'main.0.weight'")
        if 0 in shape or (match["part"] != _COUNTER and header.dtypes[name] not in FLOATS):
            raise UnknownFileError(f"tensor {name!r} of {header.dtypes[name]} {list(shape)} holds no weights")
        prefixes.add(match["prefix"])
        parts.setdefault(int(match["index"]), {})[match["part"]] = shape
    if len(prefixes) != 1:
        found = ", ".join(map(repr, sorted(prefixes))) or "none"
        raise UnknownFileError(f"layers of one network are wanted, found {found}")
    return Layers(prefixes.pop(), dict(sorted(parts.items())))


def check_fit(network: nn.Module, layers: Layers, header: Header) -> None:
    """Make sure that the tensors of the file are those of the network, by name and shape.

    Raises:
        UnknownFileError: one is missing, has another shape, or is not the network's.
    """
    wanted = {f"{layers.prefix}{name}": tuple(t.shape) for name, t in network.state_dict().items()}
    for name, shape in wanted.items():
        found = header.shapes.get(name)
        if found is None and not name.endswith(_COUNTER):
            raise UnknownFileError(f"tensor {name!r} {list(shape)} is missing")
        if found is not None and found != shape:
            raise UnknownFileError(f"tensor {name!r} is {list(found)} where {list(shape)} is wanted")
    surplus = sorted(header.shapes.keys() - wanted.keys())
    if surplus:
        raise UnknownFileError(f"tensor {surplus[0]!r} has no place in it")
