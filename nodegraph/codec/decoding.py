"""Putting a value together again from JSON data and named tensors."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.codec.class_names import find_class, has_hooks, is_enum, is_frozen, is_named_tuple
from nodegraph.codec.encoding import Tree, plain_dtype
from nodegraph.errors import CodecError

if TYPE_CHECKING:
    import torch


class Decoder:
    """Puts one value together."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self._tensors = tensors
        self._made: dict[str, Any] = {}  # so that what was shared is shared again

    def value(self, tree: Tree, room: int) -> Any:
        """The value of JSON data that may be nested ``room`` levels deep."""
        if not isinstance(tree, list | dict):
            return tree
        if not room:
            raise CodecError("an encoded value is nested too deeply")
        if isinstance(tree, list):
            return self.items(tree, room - 1)
        return _READERS[next(iter(tree))](self, tree, room - 1)

    def items(self, trees: list[Tree], room: int) -> list[Any]:
        """The values of a list of trees."""
        return [self.value(tree, room) for tree in trees]

    def _dict(self, tree: Tree, room: int) -> Any:
        return dict(self.items(pair, room) for pair in tree["dict"])

    def _enum(self, tree: Tree, room: int) -> Any:
        cls = find_class(tree["enum"], is_enum)
        return cls[tree["name"]] if "name" in tree else cls(self.value(tree["value"], room))

    def _named(self, tree: Tree, room: int) -> Any:
        return find_class(tree["named"], is_named_tuple)._make(self.items(tree["items"], room))

    def _data(self, tree: Tree, room: int) -> Any:
        fields = {name: self.value(item, room) for name, item in tree["fields"].items()}
        return find_class(tree["data"], is_frozen)(**fields)

    def _object(self, tree: Tree, room: int) -> Any:
        return find_class(tree["object"], has_hooks).__from_codec__(self.value(tree["state"], room))

    def _number(self, tree: Tree, room: int) -> Any:
        return _as_array(base64.b64decode(tree["bytes"]), tree["number"], ())[()]

    def _tensor(self, tree: Tree, room: int) -> Any:
        import torch

        tensor = self._tensors[tree["tensor"]]
        if "dtype" not in tree:
            return tensor
        dtype = getattr(torch, tree["dtype"])
        return self._made.setdefault(json.dumps(tree), tensor.view(dtype).reshape(tree["shape"]))

    def _array(self, tree: Tree, room: int) -> Any:
        data = self._tensors[tree["array"]].numpy()
        return self._made.setdefault(json.dumps(tree), _as_array(data, tree["dtype"], tree["shape"]))


def _as_array(data: Any, dtype: str, shape: Any) -> Any:
    import numpy as np

    kind = np.dtype(dtype)
    plain_dtype(kind)  # an object array would take the bytes for addresses
    array: np.ndarray[Any, Any] = np.ndarray(shape, kind, data)
    if array.nbytes != len(data):
        raise CodecError(f"{len(data)} bytes are no array of {dtype} {list(shape)}")
    return array


_READERS: dict[str, Callable[[Decoder, Tree, int], Any]] = {
    "int": lambda decoder, tree, room: int(tree["int"], 16),
    "float": lambda decoder, tree, room: struct.unpack(">d", bytes.fromhex(tree["float"]))[0],
    "bytes": lambda decoder, tree, room: base64.b64decode(tree["bytes"], validate=True),
    "tuple": lambda decoder, tree, room: tuple(decoder.items(tree["tuple"], room)),
    "set": lambda decoder, tree, room: set(decoder.items(tree["set"], room)),
    "frozenset": lambda decoder, tree, room: frozenset(decoder.items(tree["frozenset"], room)),
    "dict": Decoder._dict,
    "enum": Decoder._enum,
    "named": Decoder._named,
    "data": Decoder._data,
    "object": Decoder._object,
    "number": Decoder._number,
    "tensor": Decoder._tensor,
    "array": Decoder._array,
}
