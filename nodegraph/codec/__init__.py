"""Values as JSON and named tensors, and back: how results are stored and sent. Never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nodegraph.codec.contents import size_of, tensors_in
from nodegraph.codec.decoding import Decoder
from nodegraph.codec.encoding import Encoder, Tree
from nodegraph.errors import CodecError

if TYPE_CHECKING:
    import torch

MAX_DEPTH = 100


class Encoded(NamedTuple):
    """A value taken apart.

    Attributes:
        tree: JSON data; where a tensor was, it has the tensor's name.
        tensors: contiguous CPU tensors by name, no two of which share memory.
    """

    tree: Tree
    tensors: dict[str, torch.Tensor]


def encode(value: Any) -> Encoded:
    """Take a value apart into JSON data and tensors, so that ``decode`` gives an equal one.

    Understood: ``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``, lists, tuples, dicts, sets,
    enum members, NamedTuples, frozen dataclasses (by their init fields), numpy arrays and numbers, dense
    tensors (they come back on the CPU), and classes with two hooks: ``__codec__(self)`` gives a value to
    store instead, and the class method ``__from_codec__(cls, value)`` makes the object again.

    Raises:
        CodecError: the value holds something else, or is nested deeper than 100 levels.
    """
    encoder = Encoder()
    return Encoded(encoder.tree(value, MAX_DEPTH), encoder.tensors)


def decode(tree: Tree, tensors: Mapping[str, torch.Tensor]) -> Any:
    """Put a value together again; it may share memory with ``tensors``.

    Classes are looked up in modules that are loaded already; nothing is imported.

    Raises:
        CodecError: the parts are no encoded value, or name a class that is not at hand.
    """
    try:
        return Decoder(tensors).value(tree, MAX_DEPTH)
    except (CodecError, MemoryError):
        raise
    except Exception as error:
        raise CodecError(f"this is no encoded value: {type(error).__name__}: {error}") from error


__all__ = ["Encoded", "Tree", "decode", "encode", "size_of", "tensors_in"]
