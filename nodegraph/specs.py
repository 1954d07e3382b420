"""Facts known about a value before anything runs: picture size, latent channels, model family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda self: "UNKNOWN", "__bool__": lambda self: False})()
NO_FACTS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of one input or output before the run.

    Attributes:
        facts: by name, such as ``{"family": "sd1", "width": 512}``; a fact not known is absent.
        value: the value itself where it is a constant of the workflow, else ``UNKNOWN``.
        source: id of the node it comes from; the node itself for a constant.
    """

    facts: Mapping[str, Any] = field(default_factory=lambda: NO_FACTS)
    value: Any = UNKNOWN
    source: str | None = None

    def get(self, fact: str, default: Any = None) -> Any:
        """One fact, or ``default`` where it is not known."""
        return self.facts.get(fact, default)

    def known(self, *facts: str) -> dict[str, Any]:
        """Those of the named facts that are known."""
        return {name: self.facts[name] for name in facts if name in self.facts}


class Mismatch(Exception):
    """Raised by a node's ``infer`` when its inputs cannot go together.

    Attributes:
        inputs: names of the inputs at odds, the one to blame first.
        given: what the first one brings, as text.
        expected: what the others call for, as text.
        code: kind of the issue, such as ``"missing_file"``.
        suggestions: the nearest valid names, best first.
        remedy: values that would do, by the input of this node, or, as ``latent_image.width``, by one of the
            node that feeds it.
    """

    def __init__(
        self,
        message: str,
        *inputs: str,
        given: str = "",
        expected: str = "",
        code: str = "mismatch",
        suggestions: Iterable[str] = (),
        remedy: Mapping[str, Any] = NO_FACTS,
    ) -> None:
        super().__init__(message)
        self.inputs = inputs
        self.given = given
        self.expected = expected
        self.code = code
        self.suggestions = tuple(suggestions)
        self.remedy = remedy


@dataclass(frozen=True)
class Advised:
    """What an ``infer`` returns that has doubts: they are told as warnings, and nothing is kept from running.

    Attributes:
        facts: what it would return otherwise.
        doubts: what can be run, but hardly is what somebody wants.
    """

    facts: Mapping[str, Any]
    doubts: tuple[Mismatch, ...]


def require_same(fact: str, **specs: Spec) -> None:
    """Raise ``Mismatch`` unless all of the named inputs that know ``fact`` agree on it.

    The first keyword sets the standard: ``require_same("family", model=model, positive=positive)``.
    """
    known = {name: spec.facts[fact] for name, spec in specs.items() if fact in spec.facts}
    if not known:
        return
    standard = next(iter(known))
    for name, value in known.items():
        if value != known[standard]:
            label = fact.replace("_", " ")
            raise Mismatch(
                f"{label} of {name} is {value}, but {standard} has {label} {known[standard]}",
                name,
                standard,
                given=f"{label} {value}",
                expected=f"{label} {known[standard]}",
            )
