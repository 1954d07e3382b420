"""Checking the body of a loop against the interface that the loop declares, before the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from nodegraph.body import Body, Place
from nodegraph.errors import Issue
from nodegraph.interface import BodyInterface
from nodegraph.node_type import Input
from nodegraph.sockets import ANY, SocketType, assignable, bind, substitute, union_of, variables_in, wiring

Fed = Mapping[Place, SocketType]
"""The types of what a loop feeds into the open places of its body."""
Types = Mapping[str, SocketType]
"""The types of the outputs of a body, or of what type variables stand for, by name."""
Look = Callable[[Fed], Types]
"""Checks the inside of a body; returns the types of its outputs."""

ROUNDS = 4
"""How many iterations the types are followed through before a type that still changes counts as any."""


class LoopCheck:
    """Whether a loop and its body fit together.

    Args:
        bindings: what the type variables of the loop stand for, as far as its inputs tell.
        look: see ``Look``.

    Attributes:
        issues: what does not fit; they name no node.
        bindings: what the type variables stand for, after what the body gives.
    """

    def __init__(self, body: Body, interface: BodyInterface, bindings: Types, look: Look) -> None:
        self.issues: list[Issue] = []
        self.bindings = dict(bindings)
        self._body = body
        self._look = look
        self._fit = interface.fit(body)
        self._gives = interface.gives
        self._takes = {**interface.takes, **interface.may_take}
        self._first = dict(bindings)

    def run(self) -> None:
        """Follow the types through one iteration after the other, until they change no more."""
        self.issues += self._fit.issues
        self.issues += _never_given(self._body, self._fit.inputs.values(), self._takes)
        current, fed_back = dict(self._first), _variables(self._takes)
        for _ in range(ROUNDS):
            found = self._news(self._look(self._fed(current)), current)
            for name, type in found.items():
                self.bindings[name] = union_of(self.bindings.get(name, type), type)
            if not found.keys() & fed_back:
                break
            current.update(found)
        else:
            self.bindings.update(dict.fromkeys(found, ANY))  # such as a list of a list of a list of ...
        self.issues = list(dict.fromkeys(self.issues))

    def _fed(self, current: Types) -> Fed:
        """The types of what one iteration is fed; what does not fit becomes an issue."""
        fed: dict[Place, SocketType] = {}
        for name, own in self._fit.inputs.items():
            type = substitute(self._takes[name], current)
            again = type is not substitute(self._takes[name], self._first)
            for place in self._body.inputs[own]:
                target = _input_at(self._body, place)
                fits = target is None or wiring(type, target.type) is not None
                fed[place] = type if fits else ANY
                if target is not None and not fits:
                    self.issues.append(self._unfit(own, place, type, target.type, again))
        return fed

    def _unfit(self, own: str, place: Place, type: SocketType, target: SocketType, again: bool) -> Issue:
        body, what = f"subgraph {self._body.name!r}", f"{target} as {own!r} ({'.'.join(place)})"
        text = f"{body} takes {what}, but the loop gives it {type}."
        if again:
            text = f"{body} gives {type}, but takes {what}, which is what its next iteration is given."
        return Issue("wrong_type", text, given=type.name, expected=target.name)

    def _news(self, outputs: Types, current: Types) -> dict[str, SocketType]:
        """The type variables that stand for something else, after what the body gives, than was known."""
        found: dict[str, SocketType] = {}
        for name, own in self._fit.outputs.items():
            expected = substitute(self._gives[name], {})
            if assignable(outputs[own], expected):
                bind(self._gives[name], outputs[own], found)
            else:
                text = f"subgraph {self._body.name!r} gives {outputs[own]} as {own!r}, not {expected}."
                issue = Issue("wrong_type", text, given=outputs[own].name, expected=expected.name)
                self.issues.append(issue)
        return {
            name: type
            for name, type in found.items()
            if name not in current or not assignable(type, current[name])
        }


class Looks:
    """Remembers which bodies were looked into with which types fed, so that no look is taken twice."""

    LIMIT = 16
    """Looks at one body; after that what is fed counts as any, so that loops in loops stay cheap."""

    def __init__(self) -> None:
        self._found: dict[Body, dict[frozenset[tuple[Place, SocketType]], Types]] = {}
        self._told: dict[Body, set[Issue]] = {}

    def __contains__(self, body: Body) -> bool:
        return body in self._found

    def take(
        self, body: Body, fed: Fed, look: Callable[[Fed], tuple[Types, list[Issue]]]
    ) -> tuple[Types, list[Issue]]:
        """The types of a body's outputs, and the issues inside that were not told before."""
        known = self._found.setdefault(body, {})
        fed = fed if len(known) < self.LIMIT else dict.fromkeys(body.graph.open_places, ANY)
        key = frozenset(fed.items())
        if key in known:
            return known[key], []
        known[key], issues = look(fed)
        told = self._told.setdefault(body, set())
        new = [issue for issue in dict.fromkeys(issues) if issue not in told]
        told.update(new)
        return known[key], new


def _variables(types: Types) -> set[str]:
    return {name for type in types.values() for name in variables_in(type)}


def _input_at(body: Body, place: Place) -> Input | None:
    node = body.graph.nodes.get(place[0])
    return node.node.inputs.get(place[1]) if node is not None and node.node is not None else None


def _never_given(body: Body, given: Collection[str], offered: Types) -> Iterator[Issue]:
    """The inputs of a body that its loop does not feed: an error where something inside needs a value."""
    fed = {place for name in given for place in body.inputs[name]}
    expected = ", ".join(offered) or "none"
    for name, places in body.inputs.items():
        if name in given:
            continue
        text = f"subgraph {body.name!r} has an input {name!r}, which the loop never gives it"
        starved = [place for place in places if place not in fed and _needs_value(body, place)]
        if starved:
            text = f"{text}, and {'.'.join(starved[0])} needs a value; the loop gives {expected}."
            yield Issue("body_input", text, given=name, expected=expected)
        else:
            text = f"{text}: what it leads to keeps its own value; the loop gives {expected}."
            yield Issue("body_input", text, given=name, expected=expected, severity="warning")


def _needs_value(body: Body, place: Place) -> bool:
    input = _input_at(body, place)
    node = body.graph.nodes.get(place[0])
    if input is None or node is None or not input.required:
        return False
    return place[1] not in node.constants and place[1] not in node.links
