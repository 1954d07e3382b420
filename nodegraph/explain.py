"""Why a node was not cached: a comparison with the last run of the same workflow."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Container
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from nodegraph.cache.code import code_digest
from nodegraph.cache.keys import canonical
from nodegraph.errors import CodecError
from nodegraph.graph import GraphNode
from nodegraph.handles import Link
from nodegraph.planning import Plan

logger = logging.getLogger(__name__)


class NodeTrace(TypedDict):
    """What a node's key was made of, input by input, and whether it finished."""

    type: str
    version: int
    code: str
    inputs: dict[str, str]
    files: dict[str, str]
    fingerprint: str
    finished: bool


Traces = dict[str, NodeTrace]
PLACES = {"memory": "in memory", "disk": "on disk"}


class RunLog:
    """Remembers for each workflow what the keys of its last run were made of.

    Args:
        folder: where one small JSON file per workflow is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def explain(self, scope: str, plan: Plan) -> dict[str, str]:
        """For each node of a plan why it is, or is not, served from a cache.

        Args:
            scope: what the workflow is called from run to run.
        """
        before, now = self._read(scope), _traces(plan)
        covered = plan.covered()
        explanations: dict[str, str] = {}
        changed: set[str] = set()
        for id in plan.keys:
            reason = _difference(id, plan.nodes[id], before, now, changed)
            if reason or not plan.nodes[id].known.cacheable:
                changed.add(id)
            if not reason and not before[id]["finished"]:
                reason = "it did not finish last time"
            explanations[id] = _sentence(id, plan, covered, reason)
        return explanations

    def record(self, scope: str, plan: Plan, finished: Container[str]) -> None:
        """Remember a run; a log that cannot be written costs an explanation, never the run.

        Args:
            finished: ids of the nodes that neither failed nor were cancelled.
        """
        traces = {
            id: NodeTrace(**{**trace, "finished": id in finished})
            for id, trace in _traces(plan).items()
            if id in plan.graph.nodes
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "wb") as stream:
                stream.write(_adapter().dump_json(traces))
            Path(temporary).replace(self._path(scope))
        except OSError as error:
            logger.warning("the run could not be remembered for --explain: %s", error)

    def _read(self, scope: str) -> Traces:
        try:
            return _adapter().validate_json(self._path(scope).read_bytes())
        except (OSError, ValueError):  # none yet, damaged, or written by another version
            return {}

    def _path(self, scope: str) -> Path:
        return self._folder / f"{hashlib.sha256(scope.encode()).hexdigest()[:32]}.json"


@cache
def _adapter() -> TypeAdapter[Traces]:
    return TypeAdapter(Traces)


def _traces(plan: Plan) -> Traces:
    return {id: _trace(plan, plan.nodes[id]) for id in plan.keys}


def _trace(plan: Plan, node: GraphNode) -> NodeTrace:
    links = {name: f"link {_text(link)}" for name, link in plan.links(node).items()}
    constants = {name: _constant(value) for name, value in node.constants.items()}
    known = node.known
    return NodeTrace(
        type=node.type,
        version=known.version,
        code=code_digest(known.function),
        inputs={**constants, **links},
        files=plan.file_digests.get(node.id, {}),
        fingerprint=plan.fingerprints.get(node.id, b"").hex(),
        finished=True,
    )


def _text(link: Link | tuple[Link, ...]) -> str:
    links = (link,) if isinstance(link, Link) else link
    return " ".join(f"{one.node}.{one.output}" for one in links)


def _constant(value: Any) -> str:
    try:
        return hashlib.sha256(canonical(value)).hexdigest()[:16]
    except CodecError:
        return "unhashable"


def _difference(id: str, node: GraphNode, before: Traces, now: Traces, changed: set[str]) -> str:
    """What differs from the last run, or an empty text."""
    old, new = before.get(id), now[id]
    if old is None or old["type"] != new["type"]:
        return "new node"
    if (old["version"], old["code"]) != (new["version"], new["code"]):
        return "code changed"
    if old["files"] != new["files"]:
        names = sorted(name for name in new["files"] if old["files"].get(name) != new["files"][name])
        return f"file changed: {', '.join(names)}"
    if old["fingerprint"] != new["fingerprint"]:
        return "its fingerprint changed"
    names = sorted(
        name
        for name in old["inputs"].keys() | new["inputs"].keys()
        if old["inputs"].get(name) != new["inputs"].get(name)
    )
    names += [name for name, link in node.links.items() if name not in names and _leads_to(link, changed)]
    return f"input {', '.join(names)} changed" if names else ""


def _leads_to(link: Link | tuple[Link, ...], changed: set[str]) -> bool:
    return any(one.node in changed for one in ((link,) if isinstance(link, Link) else link))


def _sentence(id: str, plan: Plan, covered: dict[str, Any], reason: str) -> str:
    step = plan.steps.get(id)
    if step in ("memory", "disk"):
        return f"hit: {PLACES[step]}"
    if step is None:
        return f"not needed: a later result is {PLACES[covered[id]]}" if id in covered else "not needed"
    if not plan.nodes[id].known.cacheable:
        return "miss: not cacheable"
    if reason:
        return f"miss: {reason}"
    if plan.nodes[id].known.terminal:
        return "miss: its file is gone, or its result was evicted"
    return "miss: evicted, or too cheap to be worth storing"
