"""What a value holds: the tensors in it, and the bytes it keeps alive."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

FLAT = frozenset({type(None), bool, int, float, str, bytes})


def size_of(value: Any) -> int:
    """Bytes that a value keeps alive; what is shared inside it counts once.

    Tensors and arrays count with all of their storage, of which they may be a small view. Of an object
    that no codec knows, only the object itself counts.
    """
    if type(value) in FLAT:
        return sys.getsizeof(value)
    storages = {key: size for part in parts(value) for key, size in _storages(part)}
    return sum(storages.values())


def tensors_in(value: Any) -> list[torch.Tensor]:
    """The tensors inside a value, each once, in order; of a module its parameters and buffers."""
    if type(value) in FLAT:
        return []
    return [part for part in parts(value) if is_tensor(part)]


def is_tensor(value: Any) -> bool:
    """Whether it is a torch tensor; does not import torch, without which there are none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    """Whether it is a numpy array; does not import numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_module(value: Any) -> bool:
    """Whether it is a live torch module; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def parts(value: Any) -> Iterator[Any]:
    """A value and everything inside it, depth first, each object once, however deep it is nested."""
    seen: dict[int, Any] = {}  # holds the objects too: the id of a dead one may come back
    stack = [value]
    while stack:
        item = stack.pop()
        if id(item) not in seen:
            seen[id(item)] = item
            yield item
            if type(item) not in FLAT:
                stack.extend(reversed(list(_children(item))))


def _children(item: Any) -> Iterable[Any]:
    if hasattr(type(item), "__codec__"):
        return (item.__codec__(),)
    if isinstance(item, list | tuple | set | frozenset):
        return item
    if isinstance(item, dict):
        return (part for pair in item.items() for part in pair)
    if is_tensor(item):
        return ()
    if is_array(item):
        return () if item.base is None else (item.base,)
    if is_module(item):
        return (*item.parameters(), *item.buffers())
    fields = getattr(type(item), "__dataclass_fields__", ())
    return [getattr(item, name) for name in fields if hasattr(item, name)]


def _storages(part: Any) -> Iterator[tuple[Any, int]]:
    """The pieces of memory that belong to one object itself, each with what tells it from others."""
    if is_module(part) or (is_tensor(part) and part.is_meta):
        return  # a module is its weights, and a meta tensor has no content
    if not is_tensor(part):
        yield id(part), sys.getsizeof(part)
    elif part.layout is sys.modules["torch"].strided:
        storage = part.untyped_storage()
        yield (part.device, storage.data_ptr()), storage.nbytes()
    else:
        yield id(part), part.numel() * part.element_size()
