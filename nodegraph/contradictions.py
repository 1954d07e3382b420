"""What in the declaration of a node cannot be true at once."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any, get_args

from annotated_types import BaseMetadata, Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from pydantic import PydanticSchemaGenerationError, PydanticUserError, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import SchemaError

from nodegraph.body import takes_body
from nodegraph.node_type import Input, Node, parameters_of
from nodegraph.sockets import PLAIN_CLASSES, SocketType, assignable, class_socket

SENSELESS = (PydanticSchemaGenerationError, PydanticUserError, SchemaError, TypeError, RuntimeError)
BOUNDS = (Ge, Gt, Le, Lt, MultipleOf, MinLen, MaxLen)


def contradictions(node: Node) -> Iterator[str]:
    """Each contradiction in a declaration, the one to mend first before those it may cause."""
    if node.version < 1:
        yield f"version {node.version} is below 1"
    for input in node.inputs.values():
        yield from _of_input(input)
    yield from _senseless_constraints(node)
    for input in node.inputs.values():
        yield from _wrong_default(node, input)
    yield from _of_options(node)


def _of_input(input: Input) -> Iterator[str]:
    if input.menu is not None and not input.menu:
        yield f"the menu of input {input.name!r} is empty"
    if input.folder and not assignable(class_socket(str), input.type):
        yield f"input {input.name!r} is an InFolder, so it must be a str, not {input.type}"
    if input.interface and not takes_body(input.type):
        yield f"input {input.name!r} has a BodyInterface, so it must be a Body, not {input.type}"
    for base, constraints in _levels(input.annotation):
        if constraints and isinstance(base, type) and _has_no_size(base):
            yield f"input {input.name!r} has a bound, but a {base.__name__} has no size to compare"
        if _is_empty_range(base, constraints):
            given = ", ".join(map(_text, constraints))
            yield f"no value of input {input.name!r} can meet all of {given}"


def _levels(annotation: Any) -> Iterator[tuple[Any, list[BaseMetadata]]]:
    """An annotation without its metadata, with the bounds among it; then the same for what is inside."""
    metadata = getattr(annotation, "__metadata__", ())
    base = get_args(annotation)[0] if metadata else annotation
    yield base, [bound for item in metadata for bound in _bounds(item)]
    for inner in get_args(base):
        yield from _levels(inner)


def _bounds(metadata: Any) -> Iterator[BaseMetadata]:
    found = metadata.metadata if isinstance(metadata, FieldInfo) else [metadata]
    for item in found:
        if isinstance(item, GroupedMetadata):
            yield from (bound for bound in item if isinstance(bound, BOUNDS))
        elif isinstance(item, BOUNDS):
            yield item


def _has_no_size(base: type) -> bool:
    return base not in PLAIN_CLASSES and base is not list and not issubclass(base, int | float | str)


def _is_empty_range(base: Any, constraints: list[BaseMetadata]) -> bool:
    lowest, highest = -math.inf, math.inf
    shortest, longest = 0.0, math.inf
    step = 1.0 if base is int else 0.0
    for bound in constraints:
        match bound:
            case Ge(float() | int() as value):
                lowest = max(lowest, value)
            case Gt(float() | int() as value):
                lowest = max(lowest, _next(value, step))
            case Le(float() | int() as value):
                highest = min(highest, value)
            case Lt(float() | int() as value):
                highest = min(highest, -_next(-value, step))
            case MinLen(value):
                shortest = max(shortest, value)
            case MaxLen(value):
                longest = min(longest, value)
    return lowest > highest or shortest > longest


def _next(value: float, step: float) -> float:
    """The least number above ``value``."""
    return math.floor(value) + step if step else math.nextafter(value, math.inf)


def _text(bound: BaseMetadata) -> str:
    return repr(bound).partition("(")[2].removesuffix(")")


def _senseless_constraints(node: Node) -> Iterator[str]:
    """Constraints that the validator cannot be built with, or that cannot be applied to the type."""
    try:
        node.validator.validate_python({})
    except SENSELESS as error:
        yield f"its constraints make no sense: {str(error).splitlines()[-1].strip()}"
        return
    for input in node.inputs.values():
        for sample in _samples(input.type):
            try:
                node.validator.validate_python({input.name: sample})
            except ValidationError:
                continue  # a sample need not be a value that is allowed
            except SENSELESS as error:
                yield f"the constraints of input {input.name!r} make no sense: {str(error).strip()}"


def _samples(type: SocketType) -> Iterator[Any]:
    if type.kind == "none":
        yield None
    elif type.kind == "list":
        yield []
    elif type.cls in PLAIN_CLASSES:
        yield type.cls()
    elif type.kind == "union":
        for member in type.args:
            yield from _samples(member)


def _wrong_default(node: Node, input: Input) -> Iterator[str]:
    if input.required or input.folder or (input.default is None and input.lazy):
        return
    try:
        node.validator.validate_python({input.name: input.default})
    except ValidationError as error:
        rule = error.errors()[0]["msg"]
        yield f"default {input.default!r} of input {input.name!r} breaks its own rule: {rule}"


def _of_options(node: Node) -> Iterator[str]:
    if node.needs and not node.lazy_inputs:
        yield "needs= is given, but no input is marked Lazy()"
    if node.device and node.is_async:
        yield "device=True keeps the device to one node at a time, which an async function cannot"
    for option in ("needs", "fingerprint", "infer"):
        for name in _parameters(getattr(node, option)):
            if name not in node.inputs and (name != "files" or option == "needs"):
                yield f"{option}= has a parameter {name!r}, which is not an input"
            elif option == "needs" and name in node.lazy_inputs:
                yield f"needs= has a parameter {name!r}, which is lazy itself"
    if node.fallback and _signature(node.fallback) != _signature(node.function):
        yield "fallback= must have the signature of the node itself"
    yield from _of_migrations(node)


def _of_migrations(node: Node) -> Iterator[str]:
    for version in sorted(node.migrations):
        if not 1 <= version < node.version:
            yield f"migrations= has a step from version {version}, but the node is at version {node.version}"
    for version in range(1, node.version):
        if node.migrations and version not in node.migrations:
            yield f"migrations= has no step from version {version} to {version + 1}"


def _parameters(function: Callable[..., Any] | None) -> tuple[str, ...]:
    return parameters_of(function) if function else ()


def _signature(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)
