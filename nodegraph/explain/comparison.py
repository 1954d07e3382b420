"""A run beside the last one: why each node ran, or did not have to."""

from __future__ import annotations

from nodegraph.explain.inside import Inside, Outcome, Outcomes
from nodegraph.explain.traces import Kept, NodeTrace, Traces, difference, trace_of
from nodegraph.graph import GraphNode
from nodegraph.planning import Plan

PLACES = {"memory": "in memory", "disk": "on disk"}


class Comparison:
    """A run beside the last one of the same workflow.

    Args:
        plan: the plan, which has not run yet.
        before: what the last run left.
    """

    def __init__(self, plan: Plan, before: Traces) -> None:
        self._plan = plan
        self._before = before
        self._now = {id: trace_of(plan, plan.nodes[id]) for id in plan.keys}
        self._files_gone = {id for id in plan.keys if _is_without_its_files(plan, plan.nodes[id])}

    def traces(self, outcomes: Outcomes) -> Traces:
        """What to remember, after the run; of nodes that the plan did not reach, what was known before.

        Args:
            outcomes: of the nodes that neither failed nor were cancelled.
        """
        traces = self._before | {id: self._finished(id, outcomes.get(id)) for id in self._now}
        return {id: trace for id, trace in traces.items() if id in self._plan.graph.nodes}

    def _finished(self, id: str, outcome: Outcome | None) -> NodeTrace:
        trace, old = self._now[id], self._before.get(id)
        kept, seconds = _kept(self._plan, id, outcome), outcome.seconds if outcome else 0.0
        if old and kept == "unknown" and not difference(old, trace):
            kept, seconds = old["kept"], old["seconds"]
        return NodeTrace(**{**trace, "finished": outcome is not None, "kept": kept, "seconds": seconds})

    def explanations(self, outcomes: Outcomes) -> dict[str, str]:
        """For each node of the plan why it was, or was not, served from a cache; after the run.

        Args:
            outcomes: of the nodes that neither failed nor were cancelled.
        """
        inside = Inside(self._plan, outcomes)
        return {id: f"{self._sentence(id, outcomes, inside)}{inside.note(id)}" for id in self._now}

    def _sentence(self, id: str, outcomes: Outcomes, inside: Inside) -> str:
        outcome = outcomes.get(id)
        origin = outcome.origin if outcome else self._plan.steps.get(id, "pruned")
        if origin == "pruned":
            return "not needed"
        if origin == "run":
            return f"miss: {self._reason(id, inside)}"
        return f"{'not needed: a later result is' if outcome and outcome.via else 'hit:'} {PLACES[origin]}"

    def _reason(self, id: str, inside: Inside) -> str:
        if not self._plan.nodes[id].known.cacheable:
            return "not cacheable"
        old = self._before.get(id)
        changed = difference(old, self._now[id])
        if old is None or changed:
            return changed
        if not old["finished"]:
            return "it did not finish last time"
        if id in self._files_gone:
            return "its file is gone, or was changed"
        if inside.saves(id):
            return "files that are saved inside it are looked after in every run"
        return _why_gone(old)


def _why_gone(old: NodeTrace) -> str:
    """Why a result that would be the same as last time is not there."""
    match old["kept"]:
        case "disk" | "memory":
            return f"evicted: it was {PLACES[old['kept']]}, and is gone"
        case "cheap":
            return f"too cheap to keep: it took {_duration(old['seconds'])}"
        case "no":
            return "it could not be kept on disk"
        case "unknown":
            return "evicted, or too cheap to keep"


def _duration(seconds: float) -> str:
    if seconds < 0.001:
        return "under 1 ms"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _is_without_its_files(plan: Plan, node: GraphNode) -> bool:
    """Whether a node has to run although its result is there, as the files that it names are not."""
    if not node.known.terminal or not node.known.cacheable or plan.steps.get(node.id) != "run":
        return False
    return plan.cache.find(plan.keys[node.id]) is not None


def _kept(plan: Plan, id: str, outcome: Outcome | None) -> Kept:
    """Where the result of a node is, after a run."""
    store, key = plan.cache, plan.keys[id]
    if store.disk is not None and store.disk.contains(key):
        return "disk"
    if outcome is None or outcome.origin != "run":
        return "unknown"
    if store.disk is None:
        return "memory" if store.find(key) else "unknown"
    if outcome.seconds < store.policy.min_seconds:
        return "cheap"
    entry = store.memory.get(key) if store.memory is not None else None
    return "cheap" if entry and not store.policy.worth_storing(entry) else "no"


__all__ = ["Comparison", "Outcome"]
