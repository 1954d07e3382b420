"""``--set node.input=value``: one value, or several to sweep over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nodegraph.console.errors import UsageError
from nodegraph.errors import WorkflowError
from nodegraph.node_type import Input
from nodegraph.registry import NodeRegistry
from nodegraph.sockets import is_instance
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import parse_json

OPENING, CLOSING, QUOTE, ESCAPE = "[{", "]}", '"', "\\"
LABEL_LENGTH = 40


@dataclass(frozen=True)
class Setting:
    """An input of a node and the values it shall take, one after the other.

    Attributes:
        node: id of the node.
        input: name of the input.
        values: the constants.
    """

    node: str
    input: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Variant:
    """One combination of settings applied to a workflow.

    Attributes:
        labels: what is special about it, such as ``("cfg=5", "seed=1")``.
        workflow: the workflow to run.
    """

    labels: tuple[str, ...]
    workflow: Workflow


def parse_settings(
    texts: Iterable[str], workflow: Workflow, registry: NodeRegistry, *, sweep: bool
) -> list[Setting]:
    """Read what ``--set`` was given; with ``sweep`` a value is a list, separated by commas.

    Raises:
        UsageError: a text is not ``node.input=value``, or names a node the workflow does not have.
    """
    settings = [_parse(text, workflow, registry, sweep) for text in texts]
    return list({(setting.node, setting.input): setting for setting in settings}.values())


def _parse(text: str, workflow: Workflow, registry: NodeRegistry, sweep: bool) -> Setting:
    place, equals, value = text.partition("=")
    node, dot, name = place.strip().rpartition(".")
    if not (equals and dot and node and name):
        raise UsageError(f"--set takes node.input=value, such as sampler.cfg=5, not {text!r}")
    if node not in workflow.nodes:
        raise UsageError(f"--set {text}: there is no node {node!r}; there are: {', '.join(workflow.nodes)}")
    known = registry.get(workflow.nodes[node].type)
    declared = known.inputs.get(name) if known else None
    parts = split_list(value) if sweep else [value]
    return Setting(node, name, tuple(_constant(part, declared) for part in parts))


def _constant(text: str, input: Input | None) -> Any:
    """The value as JSON where it is JSON; a text input takes ``123`` and ``true`` as they are written."""
    try:
        value = parse_json(text)
    except WorkflowError:
        return text
    if input and is_instance(text, input.type) and not is_instance(value, input.type):
        return text
    return value


def split_list(text: str) -> list[str]:
    """Split at commas that stand outside of quotes and brackets."""
    parts, start, depth, quoted, escaped = [], 0, 0, False, False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = character == ESCAPE, character != QUOTE
        elif character == QUOTE:
            quoted = True
        elif character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
        else:
            depth += (character in OPENING) - (character in CLOSING)
    return [part.strip() for part in (*parts, text[start:])]


def variants(workflow: Workflow, settings: Sequence[Setting]) -> list[Variant]:
    """The workflow under every combination of the settings; the last setting changes fastest."""
    swept = [setting for setting in settings if len(setting.values) > 1]
    found = []
    for values in product(*(setting.values for setting in settings)):
        chosen = dict(zip(settings, values, strict=True))
        changed = workflow
        for setting, value in chosen.items():
            changed = changed.with_input(setting.node, setting.input, value)
        labels = tuple(f"{setting.input}={_short(chosen[setting])}" for setting in swept)
        found.append(Variant(labels, changed))
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LABEL_LENGTH else f"{text[: LABEL_LENGTH - 1]}…"
