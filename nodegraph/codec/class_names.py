"""Classes by name, as stored values name them: found among the modules that are loaded, never imported."""

from __future__ import annotations

import enum
import sys
import types
from collections.abc import Callable
from typing import Any

from nodegraph.errors import CodecError


def class_name(cls: type) -> str:
    """The name a class is stored under, ``module:qualified.name``.

    Raises:
        CodecError: the class cannot be found again by that name.
    """
    name = f"{cls.__module__}:{cls.__qualname__}"
    if _look_up(name) is not cls:
        raise CodecError(f"{name} cannot be found again by its name; define it at the top of a module")
    return name


def _look_up(name: str) -> Any:
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = vars(found).get(part) if isinstance(found, type | types.ModuleType) else None
    return found


def find_class(name: str, suits: Callable[[Any], bool]) -> Any:
    """A loaded class; one of another kind, or found under a name not its own, is refused."""
    cls = _look_up(name)
    if not isinstance(cls, type) or f"{cls.__module__}:{cls.__qualname__}" != name or not suits(cls):
        raise CodecError(f"{name} is not at hand; load the node pack that defines it")
    return cls


def is_enum(cls: type) -> bool:
    """Whether its instances are enum members."""
    return issubclass(cls, enum.Enum)


def is_named_tuple(cls: type) -> bool:
    """Whether it is a NamedTuple."""
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def is_frozen(cls: type) -> bool:
    """Whether it is a frozen dataclass."""
    parameters = getattr(cls, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def has_hooks(cls: type) -> bool:
    """Whether it says itself how its instances are stored: ``__codec__`` and ``__from_codec__``."""
    return hasattr(cls, "__codec__") and hasattr(cls, "__from_codec__")
