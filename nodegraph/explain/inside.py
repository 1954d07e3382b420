"""What happened inside the nodes that returned subgraphs, such as loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from nodegraph.events import Origin
from nodegraph.graph import body_inputs
from nodegraph.planning import Plan


class Outcome(Protocol):
    """How a node's result came about; see ``NodeRecord``."""

    @property
    def origin(self) -> Origin:
        """Whether it ran, was cached, or was not needed."""

    @property
    def seconds(self) -> float:
        """How long it ran."""

    @property
    def via(self) -> bool:
        """Whether a later cached result made it unnecessary."""


Outcomes = Mapping[str, Outcome]


class Inside:
    """What happened inside the nodes that returned subgraphs."""

    def __init__(self, plan: Plan, outcomes: Outcomes) -> None:
        self._plan = plan
        self._outcomes = outcomes
        self._inner: dict[str, list[tuple[str, int]]] = {}
        for parent, id, number in _expanded(plan):
            self._inner.setdefault(parent, []).append((id, number))

    def saves(self, id: str) -> bool:
        """Whether a node inside saves or shows something."""
        return any(self._plan.nodes[inner].known.terminal for inner, _ in self._inner.get(id, ()))

    def note(self, id: str) -> str:
        """How much of the inside came from the cache; empty for a node that has none."""
        inner = self._inner.get(id)
        if not inner:
            return ""
        is_loop = bool(body_inputs(self._plan.nodes[id].known))
        origins: dict[int, set[Origin]] = {}
        for place, (name, number) in enumerate(inner):
            origins.setdefault(number if is_loop else place, set()).add(self._origin(name))
        cached = sum("run" not in found and found != {"pruned"} for found in origins.values())
        noun = f"{'iteration' if is_loop else 'node'}{'' if len(origins) == 1 else 's'}"
        return f"; {cached} of {len(origins)} {noun}{'' if is_loop else ' inside'} from the cache"

    def _origin(self, id: str) -> Origin:
        outcome = self._outcomes.get(id)
        return outcome.origin if outcome else "run"


def _expanded(plan: Plan) -> Iterator[tuple[str, str, int]]:
    """The nodes that came with subgraphs: the node that returned it, their own id, and the number in that.

    The number tells nodes of one name apart; in a loop it is the iteration, counted from 1.
    """
    for id in plan.nodes:
        if id not in plan.graph.nodes:
            parent = id.rpartition("/")[0]
            while parent and parent not in plan.nodes:
                parent = parent.rpartition("/")[0]
            yield parent, id, int(id.rpartition("-")[2])
