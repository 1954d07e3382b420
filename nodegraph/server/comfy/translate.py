"""From the prompt of a ComfyUI client to a workflow, keeping the client's node ids.

ComfyUI is more lenient than our own format: it leaves out what a node does not declare, reads numbers
from text, and runs what leads to an output even where something else is wrong. All of that happens here,
so that validation and execution see an ordinary workflow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nodegraph.errors import WorkflowError
from nodegraph.files import INPUTS
from nodegraph.handles import Link
from nodegraph.node_type import Input, Node
from nodegraph.registry import NodeRegistry
from nodegraph.sockets import SocketType
from nodegraph.workflow.comfy import import_comfy
from nodegraph.workflow.schema import NodeEntry, Workflow

MARKED_AS_INPUT = re.compile(r" \[input\]$")


class RefusedPromptError(Exception):
    """A prompt that cannot be taken as a whole; ``body`` is what ComfyUI's clients expect to be told.

    Attributes:
        body: the JSON body of the answer: ``{"error": {...}, "node_errors": {...}}``.
    """

    def __init__(
        self,
        type: str,
        message: str,
        details: str = "",
        extra_info: Mapping[str, Any] | None = None,
        node_errors: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        error = {"type": type, "message": message, "details": details, "extra_info": dict(extra_info or {})}
        self.body: dict[str, Any] = {"error": error, "node_errors": dict(node_errors or {})}


def read_prompt(prompt: Any, registry: NodeRegistry) -> Workflow:
    """The workflow that a prompt describes, with the client's node ids.

    Raises:
        RefusedPromptError: it is no prompt, or a node is of a type that is not known.
    """
    if not isinstance(prompt, dict) or not prompt:
        raise RefusedPromptError("no_prompt", "the request holds no prompt: an object of nodes, by id")
    for id, node in prompt.items():
        _check_type(id, node, registry)
    try:
        workflow = import_comfy(prompt, registry)
    except WorkflowError as error:
        raise RefusedPromptError("invalid_prompt", "the prompt cannot be read", str(error)) from error
    nodes = {id: lenient(entry, registry.get(entry.type)) for id, entry in workflow.nodes.items()}
    return workflow.model_copy(update={"nodes": nodes})


def _check_type(id: str, node: Any, registry: NodeRegistry) -> None:
    given = node.get("class_type") if isinstance(node, dict) else None
    if not isinstance(given, str):
        raise RefusedPromptError(
            "missing_node_type", f"node {id} has no class_type", f"Node ID '#{id}'", {"node_id": id}
        )
    if registry.get(given) is None:
        nearest = registry.suggest(given)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        raise RefusedPromptError(
            "missing_node_type",
            f"there is no node type {given!r} on this server{hint}",
            f"Node ID '#{id}'",
            {"node_id": id, "class_type": given, "node_title": _title(node) or given},
        )


def _title(node: Mapping[str, Any]) -> str | None:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) else None


def lenient(entry: NodeEntry, node: Node | None) -> NodeEntry:
    """An entry without inputs the node does not have, its constants in the types that it declares."""
    if node is None:
        return entry
    constants = {
        name: _converted(value, node.inputs[name])
        for name, value in entry.inputs.items()
        if name in node.inputs
    }
    links = {name: link for name, link in entry.links.items() if name in node.inputs}
    return entry.model_copy(update={"inputs": constants, "links": links})


def _converted(value: Any, input: Input) -> Any:
    if input.folder == INPUTS and isinstance(value, str):
        return MARKED_AS_INPUT.sub("", value)
    if input.menu:
        return value
    cls = _only_class(input.type)
    return _CONVERSIONS[cls](value) if cls in _CONVERSIONS else value


def _only_class(type: SocketType) -> type | None:
    """The class of a type that is one class or ``None``."""
    members = [member for member in type.args if member.kind != "none"] if type.kind == "union" else [type]
    return members[0].cls if len(members) == 1 else None


def _to_int(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _to_float(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _to_text(value: Any) -> Any:
    return str(value) if type(value) in (int, float) else value


def _to_bool(value: Any) -> Any:
    return bool(value) if type(value) is int and value in (0, 1) else value


_CONVERSIONS = {int: _to_int, float: _to_float, str: _to_text, bool: _to_bool}


def output_nodes(
    workflow: Workflow, registry: NodeRegistry, only: Collection[str] | None = None
) -> list[str]:
    """Ids of the nodes a run ends in, in the order of the prompt.

    Args:
        only: the ids the client wants, if it does not want all of them.
    """
    known = ((id, registry.get(entry.type)) for id, entry in workflow.nodes.items())
    return [id for id, node in known if node and node.terminal and (only is None or id in only)]


def upstream(workflow: Workflow, targets: Iterable[str]) -> set[str]:
    """The targets and every node of the workflow that they depend on."""
    found: set[str] = set()
    stack = [id for id in targets if id in workflow.nodes]
    while stack:
        id = stack.pop()
        if id not in found:
            found.add(id)
            stack.extend(source for source in sources(workflow.nodes[id]) if source in workflow.nodes)
    return found


def fed_nodes(workflow: Workflow) -> dict[str, list[str]]:
    """For each node the ids of those that it is wired into."""
    fed: dict[str, list[str]] = {}
    for id, entry in workflow.nodes.items():
        for source in sources(entry):
            fed.setdefault(source, []).append(id)
    return fed


def downstream(fed: Mapping[str, Iterable[str]], ids: Iterable[str]) -> set[str]:
    """Some nodes and every node that depends on them; ``fed`` is of ``fed_nodes``."""
    found: set[str] = set()
    stack = list(ids)
    while stack:
        id = stack.pop()
        if id not in found:
            found.add(id)
            stack.extend(fed.get(id, ()))
    return found


def sources(entry: NodeEntry) -> Iterable[str]:
    """Ids of the nodes that an entry is wired to."""
    for link in entry.links.values():
        for one in (link,) if isinstance(link, Link) else link:
            yield one.node


def only_upstream(workflow: Workflow, targets: Iterable[str]) -> Workflow:
    """The workflow without the nodes that the targets do not depend on."""
    needed = upstream(workflow, targets)
    return workflow.model_copy(
        update={"nodes": {id: entry for id, entry in workflow.nodes.items() if id in needed}}
    )
