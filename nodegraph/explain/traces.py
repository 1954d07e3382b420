"""What the key of a node was made of, and what differs from another run."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from typing_extensions import TypedDict

from nodegraph.cache.code import code_digest
from nodegraph.cache.keys import canonical
from nodegraph.errors import CodecError
from nodegraph.graph import GraphNode
from nodegraph.handles import Link
from nodegraph.planning import Plan

Kept = Literal["disk", "memory", "cheap", "no", "unknown"]
"""Where a result was after a run: on disk, in memory for want of a disk, or why it was not kept."""


class NodeTrace(TypedDict):
    """What a node's key was made of, input by input, and what became of its result."""

    type: str
    version: int
    code: str
    inputs: dict[str, str]
    files: dict[str, str]
    fingerprint: str
    finished: bool
    kept: Kept
    seconds: float


Traces = dict[str, NodeTrace]


def trace_of(plan: Plan, node: GraphNode) -> NodeTrace:
    """What the key of a node is made of; what becomes of it is not known yet."""
    links = {name: f"link {_text(link, plan)}" for name, link in plan.links(node).items()}
    constants = {name: _constant(value) for name, value in node.constants.items()}
    known = node.known
    return NodeTrace(
        type=node.type,
        version=known.version,
        code=code_digest(known.function),
        inputs={**constants, **links},
        files=plan.file_digests.get(node.id, {}),
        fingerprint=plan.fingerprints.get(node.id, b"").hex(),
        finished=False,
        kept="unknown",
        seconds=0.0,
    )


def _text(link: Link | tuple[Link, ...], plan: Plan) -> str:
    links = (link,) if isinstance(link, Link) else link
    return " ".join(f"{one.node}.{one.output} {plan.keys[one.node].hex()[:16]}" for one in links)


def _constant(value: Any) -> str:
    try:
        return hashlib.sha256(canonical(value)).hexdigest()[:16]
    except CodecError:
        return "unhashable"


def difference(old: NodeTrace | None, new: NodeTrace) -> str:
    """What differs from the last run of a node, or an empty text."""
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
    return f"input {', '.join(names)} changed" if names else ""
