"""What a loop gives its body and wants back: declared once, checked before the run, used during it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from nodegraph.body import Body
from nodegraph.errors import InputError, Issue
from nodegraph.handles import Handle
from nodegraph.sockets import SocketType, socket_type

Types = Mapping[str, SocketType]


class Fit(NamedTuple):
    """How a body meets an interface.

    Attributes:
        inputs: by the name in the interface, what the body calls the input.
        outputs: by the name in the interface, what the body calls the output.
        issues: what the body lacks; they name no node.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    issues: list[Issue]


class BodyInterface:
    """The inputs and outputs of the bodies that a node takes: ``Annotated[Body, BodyInterface(...)]``.

    Types are written as in a node's signature. A type variable that the node's inputs name as well stands
    for what is wired in there; one that only the body gives makes the type of the node's own outputs. One
    that the body both takes and gives is fed back: what one iteration gives, the next one takes.

    Args:
        takes: the inputs a body must have, by name. If it is one, the body may call it as it likes.
        may_take: the inputs it may have besides.
        gives: the outputs a body must have, by name. If it is one, and the body has one, its name is free.

    Raises:
        TypeError: an annotation means nothing as a socket.
    """

    def __init__(
        self,
        *,
        takes: Mapping[str, Any] | None = None,
        may_take: Mapping[str, Any] | None = None,
        gives: Mapping[str, Any] | None = None,
    ) -> None:
        self.takes: Types = _types(takes)
        self.may_take: Types = _types(may_take)
        self.gives: Types = _types(gives)

    def call(self, body: Body, **values: Any) -> tuple[dict[str, Handle], list[Handle]]:
        """Instantiate a body; a value that it may take, but does not, is left out.

        Returns:
            Handles by the names of ``gives``, and handles of the nodes inside that save or show something.

        Raises:
            InputError: the body has not this interface.
            TypeError: a value is given that the interface does not name.
        """
        undeclared = values.keys() - self.takes.keys() - self.may_take.keys()
        if undeclared:
            raise TypeError(f"the interface of the body has no input {sorted(undeclared)[0]!r}")
        fit = self.fit(body)
        if fit.issues:
            raise InputError("body", fit.issues[0].message)
        given = {fit.inputs[name]: value for name, value in values.items() if name in fit.inputs}
        outputs, terminals = body.call(**given)
        return {name: outputs[own] for name, own in fit.outputs.items()}, terminals

    def fit(self, body: Body) -> Fit:
        """Which of a body's inputs and outputs are which of the interface."""
        inputs = _pair(self.takes, [name for name in body.inputs if name not in self.may_take])
        outputs = _pair(self.gives, body.outputs)
        issues = [_no_input(name, body) for name in self.takes if name not in inputs]
        issues += [_no_output(name, body) for name in self.gives if name not in outputs]
        optional = {name: name for name in self.may_take if name in body.inputs}
        return Fit({**inputs, **optional}, outputs, issues)

    def __cache_key__(self) -> Any:
        return self.describe()

    def describe(self) -> dict[str, dict[str, str]]:
        """The interface as JSON data."""
        parts = {"takes": self.takes, "may_take": self.may_take, "gives": self.gives}
        return {part: {name: type.name for name, type in types.items()} for part, types in parts.items()}


def _types(annotations: Mapping[str, Any] | None) -> Types:
    return {name: socket_type(annotation) for name, annotation in (annotations or {}).items()}


def _pair(wanted: Types, found: Collection[str]) -> dict[str, str]:
    """Names that are the same; where one is wanted and one found, they are a pair whatever it is called."""
    if len(wanted) == len(found) == 1:
        return {next(iter(wanted)): next(iter(found))}
    return {name: name for name in wanted if name in found}


def _no_input(name: str, body: Body) -> Issue:
    inputs = ", ".join(body.inputs) or "none"
    text = f"subgraph {body.name!r} has no input {name!r}, which the loop gives it; its inputs are {inputs}."
    return Issue("body_input", text, given=inputs, expected=f"an input {name!r}")


def _no_output(name: str, body: Body) -> Issue:
    outputs = ", ".join(body.outputs) or "none"
    text = (
        f"subgraph {body.name!r} must have one output, or one called {name!r}, which the loop takes from it; "
        f"its outputs are {outputs}."
    )
    return Issue("body_output", text, given=outputs, expected=f"an output {name!r}")
