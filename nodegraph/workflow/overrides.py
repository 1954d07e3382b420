"""Changing single inputs of a workflow by their place, ``node.input``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegraph.errors import WorkflowError
from nodegraph.hints import nearest
from nodegraph.workflow.schema import Workflow


def split_place(place: str, workflow: Workflow) -> tuple[str, str]:
    """Node and input of a place such as ``sampler.cfg``; the id of a node may have dots itself.

    Raises:
        WorkflowError: it is not of that form, or the workflow has no such node.
    """
    node, dot, name = place.strip().rpartition(".")
    if not (dot and node and name):
        raise WorkflowError(f"an input is named node.input, such as sampler.cfg, not {place!r}")
    if node not in workflow.nodes:
        near = nearest(node, workflow.nodes)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(workflow.nodes)}"
        raise WorkflowError(f"{place}: there is no node {node!r}; {hint}")
    return node, name


def with_overrides(workflow: Workflow, values: Mapping[str, Any]) -> Workflow:
    """The workflow with inputs set to constants, by their places.

    Raises:
        WorkflowError: a place is not of the form ``node.input``, or names a node that is not there.
    """
    for place, value in values.items():
        workflow = workflow.with_input(*split_place(place, workflow), value)
    return workflow
