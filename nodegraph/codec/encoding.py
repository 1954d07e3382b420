"""Taking a value apart into JSON data and named tensors."""

from __future__ import annotations

import base64
import enum
import json
import math
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nodegraph.codec.class_names import class_name, has_hooks, is_frozen, is_named_tuple
from nodegraph.codec.contents import is_array, is_module, is_tensor
from nodegraph.errors import CodecError

if TYPE_CHECKING:
    import numpy as np
    import torch

Tree = Any
"""JSON data. A JSON object in it is never a dict, but a tag that says what is meant."""

INT64 = range(-(2**63), 2**63)
FLOATS = ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "bool")
STORED_DTYPES = frozenset(f"torch.{kind}" for kind in (*FLOATS, *INTEGERS))
"""What every safetensors release can name; other dtypes travel as bytes."""


def _int(value: int) -> Tree:
    return value if value in INT64 else {"int": hex(value)}


def _float(value: float) -> Tree:
    return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


_SCALARS: dict[type, Callable[[Any], Tree]] = {
    type(None): lambda value: None,
    bool: lambda value: value,
    str: lambda value: value,
    int: _int,
    float: _float,
    bytes: lambda value: {"bytes": _base64(value)},
}


class Encoder:
    """Takes one value apart.

    Attributes:
        tensors: the tensors met so far, by the name they have in the tree.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self._names: dict[Any, str] = {}
        self._storages: set[int] = set()
        self._kept: list[Any] = []  # a freed tensor's address may come back as another one's

    def tree(self, value: Any, room: int) -> Tree:
        """The JSON data of a value that may be nested ``room`` levels deep."""
        scalar = _SCALARS.get(type(value))
        if scalar:
            return scalar(value)
        if not room:
            raise CodecError("a value is nested too deeply to be stored; does it contain itself?")
        return self._container(value, room - 1)

    def _container(self, value: Any, room: int) -> Tree:
        kind = type(value)
        if kind is list:
            return self._items(value, room)
        if kind is tuple:
            return {"tuple": self._items(value, room)}
        if kind is dict:
            return {"dict": [self._items(pair, room) for pair in value.items()]}
        if kind in (set, frozenset):
            return {kind.__name__: sorted(self._items(value, room), key=json.dumps)}
        if is_tensor(value):
            return self._tensor(value)
        if is_array(value):
            return self._array(value)
        return self._object(value, room)

    def _items(self, values: Iterable[Any], room: int) -> list[Tree]:
        return [self.tree(value, room) for value in values]

    def _object(self, value: Any, room: int) -> Tree:
        kind = type(value)
        if has_hooks(kind):
            state = value.__codec__()
            self._kept.append(state)
            return {"object": class_name(kind), "state": self.tree(state, room)}
        if isinstance(value, enum.Enum):
            return self._enum(value, room)
        if is_named_tuple(kind):
            return {"named": class_name(kind), "items": self._items(value, room)}
        if is_frozen(kind):
            fields = {name: self.tree(item, room) for name, item in _init_fields(value)}
            return {"data": class_name(kind), "fields": fields}
        if _is_number(value):
            return {"number": plain_dtype(value.dtype), "bytes": _base64(value.tobytes())}
        raise CodecError(f"a {kind.__module__}.{kind.__qualname__} cannot be stored; {_advice(value)}")

    def _enum(self, member: enum.Enum, room: int) -> Tree:
        cls = type(member)
        if member.name in cls.__members__:
            return {"enum": class_name(cls), "name": member.name}
        return {"enum": class_name(cls), "value": self.tree(member.value, room)}  # flags joined with |

    def _tensor(self, tensor: torch.Tensor) -> Tree:
        _require_plain(tensor)
        place = (tensor.device, tensor.data_ptr(), tensor.stride(), tensor.is_conj(), tensor.is_neg())
        name = self._shared((*place, tensor.dtype, tensor.shape), tensor, lambda: tensor)
        if str(tensor.dtype) in STORED_DTYPES:
            return {"tensor": name}
        dtype = str(tensor.dtype).removeprefix("torch.")
        return {"tensor": name, "dtype": dtype, "shape": list(tensor.shape)}

    def _array(self, array: np.ndarray[Any, Any]) -> Tree:
        import numpy as np
        import torch

        if type(array) is not np.ndarray:
            raise CodecError(f"a numpy {type(array).__name__} cannot be stored; use a plain array")
        dtype = plain_dtype(array.dtype)
        place = ("numpy", array.ctypes.data, array.strides, dtype, array.shape)
        name = self._shared(
            place, array, lambda: torch.from_numpy(np.array(bytearray(array.tobytes()), dtype=np.uint8))
        )
        return {"array": name, "dtype": dtype, "shape": list(array.shape)}

    def _shared(self, place: Any, owner: Any, tensor: Callable[[], torch.Tensor]) -> str:
        """The name of the tensor at a place in memory, added to the others if it is new."""
        if place not in self._names:
            self._kept.append(owner)
            self._names[place] = self._add(tensor())
        return self._names[place]

    def _add(self, tensor: torch.Tensor) -> str:
        import torch

        data = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous()
        if str(data.dtype) not in STORED_DTYPES:
            data = data.reshape(-1).view(torch.uint8)
        storage = data.untyped_storage()
        if storage.nbytes() != data.nbytes or storage.data_ptr() in self._storages:
            data = data.clone()
        self._storages.add(data.untyped_storage().data_ptr())
        name = str(len(self.tensors))
        self.tensors[name] = data
        return name


def _init_fields(value: Any) -> Iterator[tuple[str, Any]]:
    for field in type(value).__dataclass_fields__.values():
        if field.init:
            yield field.name, getattr(value, field.name)


def _is_number(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def plain_dtype(dtype: np.dtype[Any]) -> str:
    """The text of a numpy dtype that stands for values, not for addresses or records."""
    if dtype.hasobject or dtype.kind == "V":
        raise CodecError(f"a numpy array of {dtype} cannot be stored; use numbers, text or dates")
    return dtype.str


def _require_plain(tensor: torch.Tensor) -> None:
    import torch

    if type(tensor) is not torch.Tensor or tensor.requires_grad:
        kind = type(tensor).__name__
        raise CodecError(f"a {kind} that requires grad or is a class of its own cannot be stored; detach it")
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise CodecError("a sparse, quantized or meta tensor cannot be stored; make it dense")


def _advice(value: Any) -> str:
    if is_module(value):
        return "a model travels as a recipe, a frozen dataclass with a build method (nodegraph.ModelRecipe)"
    if isinstance(value, Iterator):
        return "return a list of what it yields"
    if hasattr(value, "__dataclass_fields__"):
        return "declare its class @dataclass(frozen=True)"
    if callable(value):
        return "return what it computes, not the function"
    return "use plain values, tensors and frozen dataclasses, or give its class __codec__ and __from_codec__"
