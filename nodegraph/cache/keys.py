"""Keys: a SHA-256 over everything that makes a result, in an encoding that never confuses two values."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nodegraph.body import Body
from nodegraph.cache.code import code_digest
from nodegraph.errors import CodecError
from nodegraph.handles import Link
from nodegraph.node_type import Node

Key = bytes


def canonical(value: Any) -> bytes:
    """Encode a value so that different values, and equal values of different types, differ.

    ``1``, ``"1"``, ``1.0`` and ``True`` are four encodings; every encoding says where it ends; dicts do
    not depend on their order; tensors count with dtype, shape and content. A class may define
    ``__cache_key__`` to say what counts.

    Raises:
        CodecError: the value (a live model, a function) has no stable encoding.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise CodecError("a value is nested too deeply to be hashed") from None


def _encode(value: Any) -> bytes:
    encoder = _ENCODERS.get(type(value))
    return encoder(value) if encoder else _encode_other(value)


def _text(tag: bytes, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"%b%d:%b" % (tag, len(data), data)


def _sequence(tag: bytes, items: Iterable[Any]) -> bytes:
    parts = [_encode(item) for item in items]
    return b"%b%d:%b" % (tag, len(parts), b"".join(parts))


def _mapping(tag: bytes, mapping: Mapping[Any, Any]) -> bytes:
    parts = sorted(_encode(name) + _encode(item) for name, item in mapping.items())
    return b"%b%d:%b" % (tag, len(parts), b"".join(parts))


def _class_name(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"


def _body(body: Body) -> bytes:
    """A digest made once: bodies in bodies would otherwise be encoded again at every use."""
    if body.digest is None:
        body.digest = hashlib.sha256(_encode(body.content())).digest()
    return b"B" + body.digest


def _node(node: Node) -> bytes:
    return _sequence(b"n", (node.id, node.version, code_digest(node.function)))


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"N",
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: b"i%x;" % value,
    float: lambda value: b"f" + struct.pack(">d", value),
    str: lambda value: _text(b"s", value),
    bytes: lambda value: b"b%d:%b" % (len(value), value),
    list: lambda value: _sequence(b"l", value),
    tuple: lambda value: _sequence(b"t", value),
    dict: lambda value: _mapping(b"d", value),
    set: lambda value: _sequence(b"u", sorted(value, key=_encode)),
    frozenset: lambda value: _sequence(b"u", sorted(value, key=_encode)),
    Link: lambda value: _sequence(b"L", value),
    Node: _node,
    Body: _body,
}

_FLAT_ENCODERS = {cls: _ENCODERS[cls] for cls in (type(None), bool, int, float, str, bytes)}
"""For the values whose encoding cannot fail, nor go deep."""


def _encode_other(value: Any) -> bytes:
    name = _class_name(value)
    if hasattr(value, "__cache_key__"):
        return _text(b"k", name) + _encode(value.__cache_key__())
    if isinstance(value, enum.Enum):
        return _text(b"e", name) + _encode(value.name)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _text(b"D", name) + _mapping(b"d", fields)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _text(b"M", name) + _sequence(b"t", tuple(value))
    array = _as_array(value)
    if array is not None:
        return array
    raise CodecError(
        f"a {type(value).__name__} has no stable encoding, so a result made from it could not be recognised; "
        "pass plain values, tensors, frozen dataclasses or a model recipe"
    )


def _as_array(value: Any) -> bytes | None:
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_meta:
            return None
        tensor = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
        data = tensor.reshape(-1).view(torch.uint8).numpy() if tensor.numel() else b""
        return _sequence(b"X", (str(tensor.dtype), tuple(tensor.shape), hashlib.sha256(data).digest()))
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        array = numpy.ascontiguousarray(value)
        if array.dtype.hasobject:
            return None
        digest = hashlib.sha256(array.tobytes()).digest()
        return _sequence(b"A", (repr(array.dtype), array.dtype.str, tuple(value.shape), digest))
    return None


_prefixes: dict[Node, bytes] = {}
_layouts: dict[Node, tuple[tuple[str, bytes], ...]] = {}


def node_prefix(node: Node) -> bytes:
    """What every key of a node type starts with: its id, version and code."""
    prefix = _prefixes.get(node)
    if prefix is None:
        prefix = _prefixes[node] = hashlib.sha256(_node(node)).digest()
    return prefix


def _layout(node: Node) -> tuple[tuple[str, bytes], ...]:
    layout = _layouts.get(node)
    if layout is None:
        layout = _layouts[node] = tuple((name, _text(b"s", name)) for name in sorted(node.inputs))
    return layout


def node_key(
    node: Node,
    constants: Mapping[str, Any],
    links: Mapping[str, Link | tuple[Link, ...]],
    keys: Mapping[str, Key],
    extra: bytes = b"",
) -> Key:
    """The key of one node's result.

    Args:
        constants: its constants, defaults included.
        links: its links that count (an unchosen lazy input does not).
        keys: the keys of the nodes it is linked to.
        extra: whatever else decides the result: file digests, a fingerprint, the output folder.
    """
    parts = [node_prefix(node)]
    for name, tag in _layout(node):
        link = links.get(name)
        if link is not None:
            parts.append(tag)
            parts.append(_link(link, keys))
        elif name in constants:
            value = constants[name]
            encoder = _FLAT_ENCODERS.get(type(value))
            parts.append(tag)
            parts.append(encoder(value) if encoder else canonical(value))
    parts.append(extra)
    return hashlib.sha256(b"".join(parts)).digest()


def _link(link: Link | tuple[Link, ...], keys: Mapping[str, Key]) -> bytes:
    if type(link) is Link:
        return b"K" + keys[link.node] + _text(b"s", link.output)
    return b"G%d:" % len(link) + b"".join(_link(item, keys) for item in link)  # type: ignore[arg-type]
