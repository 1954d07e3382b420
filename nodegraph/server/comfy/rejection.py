"""What is wrong with a prompt, in the words and shapes that ComfyUI's clients know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nodegraph.errors import MOST_LISTED, Issue, errors_among
from nodegraph.files import INPUTS
from nodegraph.node_type import Input
from nodegraph.registry import NodeRegistry
from nodegraph.server.comfy.object_info import FileNames, input_entry
from nodegraph.server.comfy.translate import RefusedPromptError, downstream, fed_nodes, upstream
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import describe

TYPES = {
    "missing_input": "required_input_missing",
    "dangling_link": "bad_linked_input",
    "unknown_output": "bad_linked_input",
    "not_in_menu": "value_not_in_list",
    "cycle": "dependency_cycle",
}
"""ComfyUI's name for our issue code, where one code has one name."""
OTHER = "custom_validation_failed"
MAX_MENU = 20


def sound_outputs(workflow: Workflow, outputs: Sequence[str], issues: Iterable[Issue]) -> list[str]:
    """Those outputs that nothing wrong leads to; none where something is wrong with the whole."""
    found = errors_among(issues)
    if not all(map(_nodes, found)):
        return []
    spoilt = downstream(fed_nodes(workflow), (id for issue in found for id in _nodes(issue)))
    return [id for id in outputs if id not in spoilt]


def node_errors(
    prompt: Mapping[str, Any],
    workflow: Workflow,
    outputs: Sequence[str],
    issues: Iterable[Issue],
    registry: NodeRegistry,
    files: FileNames,
) -> dict[str, Any]:
    """Errors by node id, of the nodes that some output depends on; ``files`` are those that may be named.

    Where there are very many, the last of those told says how many more there are.
    """
    needed = upstream(workflow, outputs)
    places = [(issue, id) for issue in errors_among(issues) for id in _nodes(issue) if id in needed]
    told = [
        (id, _error(issue.shortened(), id, prompt, registry, files)) for issue, id in places[:MOST_LISTED]
    ]
    if len(places) > MOST_LISTED:
        told.append((told[-1][0], _more(len(places) - MOST_LISTED)))
    return _by_node(told, workflow, outputs)


def _by_node(
    told: Iterable[tuple[str, dict[str, Any]]], workflow: Workflow, outputs: Sequence[str]
) -> dict[str, Any]:
    fed = fed_nodes(workflow)
    found: dict[str, Any] = {}
    for id, error in told:
        if id not in found:
            reached = downstream(fed, [id])
            dependent = [output for output in outputs if output in reached][:MOST_LISTED]
            type = workflow.nodes[id].type
            found[id] = {"errors": [], "dependent_outputs": dependent, "class_type": type}
        found[id]["errors"].append(error)
    return found


def _more(count: int) -> dict[str, Any]:
    message = f"{count} more errors, of this node and others, are not listed here"
    return {"type": OTHER, "message": message, "details": "", "extra_info": {"more_errors": count}}


def refusal(errors: Mapping[str, Any], issues: Iterable[Issue]) -> RefusedPromptError:
    """The answer where no output can be made."""
    lines = [f"#{id}: {error['message']}" for id, node in errors.items() for error in node["errors"]]
    lines += [issue.message for issue in errors_among(issues) if not _nodes(issue)]
    return RefusedPromptError(
        "prompt_outputs_failed_validation",
        "no output of the prompt can be made",
        "\n".join(lines),
        {},
        errors,
    )


def no_outputs() -> RefusedPromptError:
    """The answer to a prompt without an output node."""
    return RefusedPromptError(
        "prompt_no_outputs", "the prompt has no node that saves or shows anything, such as SaveImage"
    )


def _nodes(issue: Issue) -> tuple[str, ...]:
    """The nodes at fault: every one of a cycle, else the one named."""
    if issue.code == "cycle":
        return issue.related
    return (issue.node,) if issue.node is not None else ()


def _error(
    issue: Issue, id: str, prompt: Mapping[str, Any], registry: NodeRegistry, files: FileNames
) -> dict[str, Any]:
    given = prompt[id].get("inputs", {}).get(issue.input)
    node = registry.get(prompt[id]["class_type"])
    declared = node.inputs.get(issue.input) if node and issue.input else None
    entry = _told_entry(declared, files) if declared else None
    type = _type(issue, given, declared)
    return {
        "type": type,
        "message": issue.message,
        "details": _details(issue, given, entry) if type == "value_not_in_list" else issue.input or "",
        "extra_info": _extra_info(issue, given, declared, entry),
    }


def _told_entry(declared: Input, files: FileNames) -> list[Any] | None:
    """``[type or menu, options]`` of an input; nothing where the menu is a long one, as ComfyUI does."""
    entry = input_entry(declared, files(declared.folder) if declared.folder else ())
    return None if isinstance(entry[0], list) and len(entry[0]) > MAX_MENU else entry


def _details(issue: Issue, given: Any, entry: list[Any] | None) -> str:
    menu = f"[{', '.join(map(repr, entry[0]))}]" if entry else f"a list of more than {MAX_MENU}"
    return f"{issue.input}: {describe(given)} not in {menu}"


def _type(issue: Issue, given: Any, declared: Input | None) -> str:
    if issue.code == "wrong_type":
        if issue.related:
            return "return_type_mismatch"
        bad_link = declared is not None and declared.socket_only and isinstance(given, list)
        return "bad_linked_input" if bad_link else "invalid_input_type"
    if issue.code == "out_of_range":
        return _bound(issue.expected or "")
    if issue.code == "missing_file":
        listed = declared is not None and declared.folder not in (None, INPUTS)
        return "value_not_in_list" if listed else OTHER
    return TYPES.get(issue.code, OTHER)


def _bound(expected: str) -> str:
    if expected.startswith(("at least", "more than")):
        return "value_smaller_than_min"
    return "value_bigger_than_max" if expected.startswith(("at most", "less than")) else OTHER


def _extra_info(issue: Issue, given: Any, declared: Input | None, entry: list[Any] | None) -> dict[str, Any]:
    if issue.input is None:
        return {"related_nodes": list(issue.related)} if issue.related else {}
    info: dict[str, Any] = {"input_name": issue.input}
    if declared is not None:
        info["input_config"] = entry
    if issue.code == "wrong_type" and issue.related:
        return info | {"received_type": issue.given, "linked_node": given}
    return info if issue.code == "missing_input" else info | {"received_value": given}
