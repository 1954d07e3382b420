"""Calling one node: its inputs checked, its function run, its outputs checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic_core import ValidationError

from nodegraph.codec.contents import FLAT, tensors_in
from nodegraph.errors import InputError, NodeGraphError
from nodegraph.handles import Subgraph
from nodegraph.node_type import Node
from nodegraph.sockets import PLAIN_CLASSES, SocketType, is_instance, list_of

Outputs = tuple[Any, ...]


class WrongOutput(NodeGraphError):
    """A node returned something else than it declares."""


@cache
def _check_kind(node: Node, name: str) -> Literal["none", "plain", "instance"]:
    """How a linked value is checked: with its constraints if it is plain, else by class."""
    input = node.inputs[name]
    if input.constrained or _all_plain(input.type):
        return "plain"
    return "none" if input.type.kind in ("any", "var") else "instance"


def _all_plain(type: SocketType) -> bool:
    if type.kind == "class":
        return type.cls in PLAIN_CLASSES
    return type.kind == "none" or (bool(type.args) and all(map(_all_plain, type.args)))


def check_linked(node: Node, name: str, value: Any) -> Any:
    """Check a value that came over a wire against type and constraints of the input.

    Raises:
        InputError: it does not fit.
    """
    kind = _check_kind(node, name)
    if kind == "none":
        return value
    if kind == "plain":
        return _checked_plain(node, name, value)
    if is_instance(value, node.inputs[name].type):
        return value
    raise InputError(
        name, f"the wire carries a {type(value).__name__}, but {node.inputs[name].type} is expected"
    )


def _checked_plain(node: Node, name: str, value: Any) -> Any:
    try:
        return node.validator.validate_python({name: value})[name]
    except ValidationError as error:
        from nodegraph.constants import check_constants

        issues = check_constants(node, {name: value}, "")[1]
        message = issues[0].message if issues else str(error)
        raise InputError(name, f"the wire carries a value that does not fit: {message}") from None


def as_outputs(node: Node, result: Any) -> Outputs:
    """What a node returned as a tuple with one value per output.

    Raises:
        WrongOutput: number or type of the values is not what the node declares.
    """
    declared = node.outputs
    if len(declared) == 1:
        values: Outputs = (result,)
    elif not declared:
        values = ()
    elif isinstance(result, tuple) and len(result) == len(declared):
        values = tuple(result)
    else:
        raise WrongOutput(f"it returned {type(result).__name__}, but declares {len(declared)} outputs")
    check_outputs(node, values)
    return values


def check_outputs(node: Node, values: Outputs, *, mapped: bool = False) -> None:
    """Raise ``WrongOutput`` where an output, or an element of a mapped one, is not what the node declares."""
    for output, value in zip(node.outputs, values, strict=True):
        declared = list_of(output.type) if mapped else output.type
        if not is_instance(value, declared):
            raise WrongOutput(
                f"output {output.name} is declared as {declared}, but is {type(value).__name__}"
            )


def split_elements(node: Node, inputs: Mapping[str, Any], mapped: frozenset[str]) -> list[dict[str, Any]]:
    """The inputs of each run of a node that takes lists element by element, zipped.

    Raises:
        InputError: the lists differ in length.
    """
    lengths = {name: len(inputs[name]) for name in sorted(mapped)}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InputError(next(iter(lengths)), f"lists taken element by element must be equally long: {text}")
    count = next(iter(lengths.values()))
    return [
        {name: value[index] if name in mapped else value for name, value in inputs.items()}
        for index in range(count)
    ]


def join_elements(node: Node, results: list[Any]) -> Outputs | Subgraph:
    """The outputs of the runs as one list per output; subgraphs are joined into one."""
    if any(isinstance(result, Subgraph) for result in results):
        graphs = [r if isinstance(r, Subgraph) else _constant_graph(node, r) for r in results]
        also = [handle for graph in graphs for handle in graph.also]
        return Subgraph(*also, **{o.name: [g.outputs[o.name] for g in graphs] for o in node.outputs})
    rows = [as_outputs(node, result) for result in results]
    return tuple([row[index] for row in rows] for index in range(len(node.outputs)))


def _constant_graph(node: Node, result: Any) -> Subgraph:
    return Subgraph(**dict(zip((o.name for o in node.outputs), as_outputs(node, result), strict=True)))


class TensorGuard:
    """Notices a node that changes a tensor it was given, which would change cached results too."""

    __slots__ = ("_versions",)

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._versions = [(name, t, t._version) for name, t in _tensors(inputs)]

    def changed(self) -> str | None:
        """The name of an input with a tensor that was changed in place since, if there is one."""
        return next((name for name, tensor, version in self._versions if tensor._version != version), None)

    def check(self) -> None:
        """Raise ``InputError`` if a tensor was changed in place since."""
        name = self.changed()
        if name is not None:
            text = "the node changed this tensor in place; it must work on a copy (.clone())"
            raise InputError(name, text)


def _tensors(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "torch" not in sys.modules:
        return
    for name, value in inputs.items():
        if type(value) not in FLAT:
            yield from ((name, tensor) for tensor in tensors_in(value) if not tensor.is_inference())
