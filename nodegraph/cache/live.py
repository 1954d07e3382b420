"""Digests of what only exists while the program runs: closures, and functions without a source file."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import types
from collections.abc import Callable, Iterator
from typing import Any

from nodegraph.codec import encode
from nodegraph.errors import CodecError

SourceDigest = Callable[[str, str, int | None], bytes | None]
"""Of module, name and line: the digest of the source, or ``None`` if there is none."""


def unwrapped(function: Any) -> Any:
    """The function that decorators were put around; they are part of its source."""
    return inspect.unwrap(function) if callable(function) else function


class LiveDigest:
    """Digests one function of a package, with whatever it holds; of other packages only names count."""

    def __init__(self, source_digest: SourceDigest) -> None:
        self._source_digest = source_digest
        self._package = ""
        self._known: dict[int, tuple[Any, bytes]] = {}  # holds the objects, so that no id comes back

    def of(self, function: Any) -> str:
        """Hexadecimal digest of a function, method, class or partial."""
        function = unwrapped(function)
        inner = function
        while isinstance(inner, functools.partial):
            inner = inner.func
        self._package = _top(inner.__module__)
        return hashlib.sha256(self._callable(function)).hexdigest()

    def _once(self, item: Any, digest: Callable[[Any], bytes]) -> bytes:
        """The digest of something that may contain itself."""
        if id(item) not in self._known:
            self._known[id(item)] = item, b"itself"
            self._known[id(item)] = item, digest(item)
        return self._known[id(item)][1]

    def _callable(self, function: Any) -> bytes:
        return self._once(function, self._new_callable)

    def _new_callable(self, function: Any) -> bytes:
        if isinstance(function, types.FunctionType):
            return self._function(function)
        if isinstance(function, types.MethodType):
            return _join(b"method", self._callable(function.__func__), self._value(function.__self__))
        if isinstance(function, functools.partial):
            parts = (function.func, function.args, function.keywords)
            return _join(b"partial", *map(self._value, parts))
        if isinstance(function, type):
            return self._class(function)
        if isinstance(function, types.BuiltinFunctionType):
            return _join(b"builtin", _name(function))
        return _join(b"object", self._callable(type(function)), self._encoded(function))

    def _function(self, function: types.FunctionType) -> bytes:
        if _top(function.__module__) != self._package:
            return _join(b"function", _name(function))
        code = function.__code__
        name = function.__qualname__.partition(".")[0]
        source = None
        if not code.co_filename.startswith("<"):
            source = self._source_digest(function.__module__ or "", name, code.co_firstlineno)
        parts = [source] if source else list(self._globals(function))
        if source is None or "<" in function.__qualname__:  # one of several that a statement may make
            parts.append(_bytecode(code))
            parts += map(self._lenient, function.__defaults__ or ())
            parts += map(self._lenient, (function.__kwdefaults__ or {}).items())
        place = function.__qualname__.encode()
        return _join(b"function", place, *parts, *map(self._cell, function.__closure__ or ()))

    def _class(self, cls: type) -> bytes:
        if _top(cls.__module__) != self._package:
            return _join(b"class", _name(cls))
        source = self._source_digest(cls.__module__, cls.__qualname__.partition(".")[0], None)
        parts = [source] if source else map(self._lenient, (*cls.__bases__, *_members(cls)))
        return _join(b"class", _name(cls), *parts)

    def _cell(self, cell: types.CellType) -> bytes:
        try:
            content = cell.cell_contents
        except ValueError:
            return b"empty"
        return self._value(content)

    def _globals(self, function: types.FunctionType) -> Iterator[bytes]:
        for name in sorted(_names(function.__code__)):
            if name in function.__globals__:
                yield _join(name.encode(), self._lenient(function.__globals__[name]))

    def _lenient(self, value: Any) -> bytes:
        """As ``_value``, but a live object (a logger, a lock) counts by its class."""
        try:
            return self._value(value)
        except CodecError:
            return _name(type(value))

    def _value(self, value: Any) -> bytes:
        value = unwrapped(value)
        if isinstance(value, types.ModuleType):
            return _join(b"module", value.__name__.encode())
        if type(value) in (list, tuple, dict):
            return self._once(value, self._container)
        if callable(value) and not hasattr(value, "__codec__") and not hasattr(value, "__dataclass_fields__"):
            return self._callable(value)
        return self._encoded(value)

    def _container(self, value: Any) -> bytes:
        items = value.items() if type(value) is dict else value
        return _join(type(value).__name__.encode(), *map(self._value, items))

    def _encoded(self, value: Any) -> bytes:
        tree, tensors = encode(value)
        parts = [json.dumps(tree).encode()]
        for tensor in tensors.values():
            import torch

            data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
            parts.append(f"{tensor.dtype}{list(tensor.shape)}".encode() + data)
        return _join(b"value", *parts)


def _members(cls: type) -> Iterator[Any]:
    """The methods and plain attributes that a class defines."""
    for name, value in sorted(vars(cls).items()):
        value = getattr(value, "__func__", value)  # of a class or static method
        if isinstance(value, property):
            yield value.fget
        elif callable(value) or not name.startswith("__"):
            yield value


def _top(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _name(item: Any) -> bytes:
    return f"{item.__module__}:{item.__qualname__}".encode()


def _join(*parts: bytes) -> bytes:
    """One digest of several parts, none of which can pass for another."""
    total = hashlib.sha256()
    for part in parts:
        total.update(b"%d:%b" % (len(part), part))
    return total.digest()


def _names(code: types.CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _bytecode(code: types.CodeType) -> bytes:
    """Digest of what the code does, wherever it stands."""
    layout = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)
    return _join(code.co_code, repr(layout).encode(), *map(_constant, code.co_consts))


def _constant(value: Any) -> bytes:
    if isinstance(value, types.CodeType):
        return _bytecode(value)
    if isinstance(value, tuple):
        return _join(b"tuple", *map(_constant, value))
    if isinstance(value, frozenset):
        return _join(b"set", *sorted(map(_constant, value)))
    text = hex(value) if type(value) is int else repr(value)
    return f"{type(value).__name__}:{text}".encode("utf-8", "surrogatepass")
