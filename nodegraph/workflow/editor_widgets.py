"""Which input each widget value of ComfyUI's editor belongs to.

The editor saves values by position. Their order is that of the node's inputs that have a widget; a seed is
followed by what happens to it after a run, and an upload button by its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nodegraph.node_type import Node
from nodegraph.workflow.editor_file import EditorNode

AFTER_RUN = ("fixed", "increment", "decrement", "randomize")
SEEDS = ("seed", "noise_seed")
BUTTONS = (["image"], ["upload"], ["audio"])
ORDERS = {"KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")}
"""The order of widgets in ComfyUI, where our inputs are in another."""


@dataclass
class WidgetValues:
    """Values by input name; for seeds what happens after a run; values that no input takes."""

    constants: dict[str, Any] = field(default_factory=dict)
    after_run: dict[str, str] = field(default_factory=dict)
    left: list[Any] = field(default_factory=list)


def widget_values(placed: EditorNode, node: Node | None) -> WidgetValues:
    """The values of a node's widgets; ``node`` is its type, where that is known."""
    if isinstance(placed.widgets, dict):
        return _by_name(placed.widgets, node)
    found = WidgetValues()
    rest = deque(placed.widgets)
    for name in _names(placed, node):
        if not rest:
            break
        found.constants[name] = rest.popleft()
        if name in SEEDS and rest and rest[0] in AFTER_RUN:
            found.after_run[name] = rest.popleft()
    left = list(rest)
    found.left = [] if left in BUTTONS else left
    return found


def _by_name(values: dict[str, Any], node: Node | None) -> WidgetValues:
    if node is None:
        return WidgetValues(dict(values))
    known = {name: value for name, value in values.items() if name in node.inputs}
    return WidgetValues(known, left=[values[name] for name in values if name not in known])


def _names(placed: EditorNode, node: Node | None) -> Sequence[str]:
    """Names of the widgets, in the order of their values.

    Newer files list every widget among the inputs; in older ones only those are there that became sockets,
    so the declaration says the rest.
    """
    shown = [slot.name for slot in placed.slots if slot.widget]
    controls = sum(value in AFTER_RUN for value in placed.widgets if isinstance(value, str))
    if node is None or len(shown) >= len(placed.widgets) - controls > 0:
        return shown
    return ORDERS.get(node.id) or [name for name, input in node.inputs.items() if not input.socket_only]
