"""Socket types: what a wire may carry, and which output may meet which input."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

Kind = Literal["any", "var", "class", "list", "union", "none"]


@dataclass(frozen=True, eq=False, slots=True)
class SocketType:
    """The type of an input or output. Interned: two equal types are the same object.

    Attributes:
        kind: ``any``, ``var`` (a type variable: anything, but the same on every socket that names it),
            ``class``, ``list`` (of ``args[0]``), ``union`` (of ``args``) or ``none``.
        name: how people read it, such as ``Image``, ``list[Image]`` or ``int | None``.
        cls: the class, for kind ``class``.
        args: element type of a list, members of a union.
    """

    kind: Kind
    name: str
    cls: type | None = None
    args: tuple[SocketType, ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def element(self) -> SocketType | None:
        """The element type of a list type, else ``None``."""
        return self.args[0] if self.kind == "list" else None

    @property
    def optional(self) -> bool:
        """Whether ``None`` is a value of this type."""
        return self.kind in ("none", "any", "var") or any(member.kind == "none" for member in self.args)


ANY = SocketType("any", "Any")
NONE = SocketType("none", "None")

LONGEST_NAME = 2000
"""A type that takes more characters to write counts as ``Any``: lists of unions of lists can double their
size from node to node."""


@cache
def variable(name: str) -> SocketType:
    """The socket type of a type variable."""
    return SocketType("var", name)


_class_sockets: dict[type, SocketType] = {}


def class_socket(cls: type) -> SocketType:
    """The socket type of a class."""
    return _class_sockets.setdefault(cls, SocketType("class", cls.__name__, cls))


@cache
def list_of(element: SocketType) -> SocketType:
    """The socket type of a list of ``element``."""
    if len(element.name) > LONGEST_NAME:
        return list_of(ANY)
    return SocketType("list", f"list[{element.name}]", args=(element,))


@cache
def _union(members: tuple[SocketType, ...]) -> SocketType:
    name = " | ".join(member.name for member in members)
    return SocketType("union", name, args=members) if len(name) <= LONGEST_NAME else ANY


def union_of(*members: SocketType) -> SocketType:
    """The union of ``members``: flattened, without repeats; ``Any`` swallows the rest."""
    flat: dict[SocketType, None] = {}
    for member in members:
        flat.update(dict.fromkeys(member.args if member.kind == "union" else (member,)))
    if ANY in flat:
        return ANY
    return next(iter(flat)) if len(flat) == 1 else _union(tuple(flat))


def socket_type(annotation: Any) -> SocketType:
    """Read a Python annotation as a socket type.

    Understood: classes, ``Any``, ``None``, unions and ``Optional``, ``list[T]``, ``Literal`` (the type
    of its values), ``NewType``, ``tuple`` and ``dict``, and ``Annotated``, of whose metadata only a type
    variable counts here: ``Annotated[Any, T]`` is ``T`` to the engine and ``Any`` to a type checker.

    Raises:
        TypeError: the annotation means nothing as a socket.
    """
    if annotation is Any or annotation is object:
        return ANY
    if annotation is None or annotation is type(None):
        return NONE
    if isinstance(annotation, typing.NewType):
        return socket_type(annotation.__supertype__)
    if isinstance(annotation, typing.TypeVar):
        return variable(annotation.__name__)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        named = next((item for item in args[1:] if isinstance(item, typing.TypeVar)), None)
        return variable(named.__name__) if named else socket_type(args[0])
    if origin in (Union, types.UnionType):
        return union_of(*map(socket_type, args))
    if origin is Literal:
        return union_of(*(class_socket(type(value)) for value in args))
    if origin is list or annotation is list:
        return list_of(socket_type(args[0]) if args else ANY)
    cls = origin or annotation
    if isinstance(cls, type):
        return class_socket(cls)
    raise TypeError(f"{annotation!r} cannot be a socket type")


OPEN_KINDS = ("any", "var")


def _class_fits(source: type, target: type) -> bool:
    if source is bool or target is bool:
        return source is target  # bool is a subclass of int, but a switch is not a number
    return issubclass(source, target) or (target is float and issubclass(source, int))


@cache
def assignable(source: SocketType, target: SocketType) -> bool:
    """Whether every value of ``source`` may be given where ``target`` is declared.

    ``Any`` fits everywhere (what it carries is checked when the node runs); every member of a source
    union must fit; lists are covariant; an ``int`` may be given as a ``float``, a ``bool`` may not.
    """
    if source is target or source.kind in OPEN_KINDS or target.kind in OPEN_KINDS:
        return True
    if source.kind == "union":
        return all(assignable(member, target) for member in source.args)
    if target.kind == "union":
        return any(assignable(source, member) for member in target.args)
    if source.kind == "list" and target.kind == "list":
        return assignable(source.args[0], target.args[0])
    if source.cls is not None and target.cls is not None:
        return _class_fits(source.cls, target.cls)
    return False


Wiring = Literal["direct", "map"]


@cache
def wiring(source: SocketType, target: SocketType) -> Wiring | None:
    """How an output of type ``source`` may be wired into an input of type ``target``.

    Returns:
        ``"direct"``; ``"map"`` when a ``list[T]`` meets a ``T`` (the node then runs once per element);
        ``None`` when the wire is refused.
    """
    if assignable(source, target):
        return "direct"
    if source.kind == "list" and assignable(source.args[0], target):
        return "map"
    return None


def is_instance(value: Any, target: SocketType) -> bool:
    """Whether ``value`` is a value of ``target``; lists are checked element by element."""
    if target.kind == "class":
        return _class_fits(type(value), typing.cast(type, target.cls))
    if target.kind in OPEN_KINDS:
        return True
    if target.kind == "none":
        return value is None
    if target.kind == "list":
        return isinstance(value, list) and all(is_instance(item, target.args[0]) for item in value)
    return any(is_instance(value, member) for member in target.args)


PLAIN_CLASSES = frozenset({int, float, str, bool, bytes, dict, tuple})


def has_json_form(target: SocketType) -> bool:
    """Whether a constant of this type can stand in a workflow file."""
    if target.kind == "class":
        cls = typing.cast(type, target.cls)
        return (
            cls in PLAIN_CLASSES or issubclass(cls, enum.Enum) or hasattr(cls, "__get_pydantic_core_schema__")
        )
    return target.kind in ("any", "var", "none") or any(map(has_json_form, target.args))


def bind(declared: SocketType, actual: SocketType, bindings: dict[str, SocketType]) -> None:
    """Note in ``bindings`` what the type variables of ``declared`` stand for, given ``actual``."""
    if declared.kind == "var":
        known = bindings.get(declared.name)
        bindings[declared.name] = actual if known is None else union_of(known, actual)
    elif declared.kind == "list" and actual.kind == "list":
        bind(declared.args[0], actual.args[0], bindings)
    elif declared.kind == "union":
        for member in declared.args:
            bind(member, actual, bindings)


def substitute(declared: SocketType, bindings: Mapping[str, SocketType]) -> SocketType:
    """``declared`` with its type variables replaced; an unbound one becomes ``Any``."""
    if declared.kind == "var":
        return bindings.get(declared.name, ANY)
    if declared.kind == "list":
        return list_of(substitute(declared.args[0], bindings))
    if declared.kind == "union":
        return union_of(*(substitute(member, bindings) for member in declared.args))
    return declared


@cache
def variables_in(declared: SocketType) -> frozenset[str]:
    """The names of the type variables that a type mentions."""
    if declared.kind == "var":
        return frozenset({declared.name})
    return frozenset().union(*map(variables_in, declared.args))


def classes_in(declared: SocketType) -> Iterator[type]:
    """The classes that a type mentions."""
    if declared.cls is not None:
        yield declared.cls
    for member in declared.args:
        yield from classes_in(member)


def type_of_value(value: object) -> SocketType:
    """The socket type of a value that stands in a workflow."""
    if isinstance(value, list):
        return list_of(union_of(*map(type_of_value, value)) if value else ANY)
    return NONE if value is None else class_socket(type(value))
