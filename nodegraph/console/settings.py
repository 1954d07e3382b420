"""``--set node.input=value``: one value, or several to sweep over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from nodegraph.captions import tell_apart
from nodegraph.console.errors import UsageError
from nodegraph.console.inside import Inside, Way, with_inner_input
from nodegraph.console.values import advice, constant, split_list
from nodegraph.errors import WorkflowError
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.writing import dump_json

LABEL_LENGTH = 40
MAX_VARIANTS = 1000


@dataclass(frozen=True)
class Setting:
    """An input of a node and the values it shall take, one after the other.

    Attributes:
        way: where the node is.
        input: name of the input.
        values: the constants.
    """

    way: Way
    input: str
    values: tuple[Any, ...]

    @property
    def place(self) -> str:
        """The input as ``--set`` names it."""
        return f"{'/'.join(step.node for step in self.way)}.{self.input}"

    @property
    def text(self) -> str:
        """The setting as ``--set`` takes it beside ``--grid``."""
        return f"{self.place}={','.join(map(dump_json, self.values))}"


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
        UsageError: texts are not ``node.input=value``, or name nodes the workflow does not have; all of them
            are told.
    """
    inside = Inside(workflow, registry)
    settings, wrong = [], []
    for text in texts:
        try:
            settings.append(_parse(text, inside, sweep))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return list({setting.place: setting for setting in settings}.values())


def _parse(text: str, inside: Inside, sweep: bool) -> Setting:
    place, equals, value = text.partition("=")
    node, dot, name = place.strip().rpartition(".")
    if not (equals and dot and node and name):
        raise UsageError(f"--set takes node.input=value, such as sampler.cfg=5, not {text!r}")
    try:
        way = inside.find(node)
        declared = inside.declared(way, name)
        hint = advice(place.strip(), value, declared, sweep=sweep) if declared else ""
        values = tuple(constant(part, declared) for part in (split_list(value) if sweep else [value]))
    except WorkflowError as error:
        raise UsageError(f"--set {text}: {error}") from None
    if hint:
        raise UsageError(f"--set {text}: {hint}")
    return Setting(way, name, values)


def variants(workflow: Workflow, settings: Sequence[Setting]) -> list[Variant]:
    """The workflow under every combination of the settings; the last setting changes fastest.

    Raises:
        UsageError: there are more than ``MAX_VARIANTS`` of them.
    """
    count = prod(len(setting.values) for setting in settings)
    if count > MAX_VARIANTS:
        raise UsageError(
            f"--grid would make {count} runs; up to {MAX_VARIANTS} are made, so give fewer values"
        )
    labels = _labels(settings)
    found = []
    for places in product(*(range(len(setting.values)) for setting in settings)):
        changed = workflow
        for setting, place in zip(settings, places, strict=True):
            changed = with_inner_input(changed, setting.way, setting.input, setting.values[place])
        chosen = tuple(of[place] for of, place in zip(labels, places, strict=True) if of)
        found.append(Variant(chosen, changed))
    return found


def _labels(settings: Sequence[Setting]) -> list[list[str]]:
    """For each setting a label for each of its values; none where it has one value."""
    swept = [setting for setting in settings if len(setting.values) > 1]
    names = Counter(setting.input for setting in swept)
    return [_labels_of(setting, names[setting.input]) if setting in swept else [] for setting in settings]


def _labels_of(setting: Setting, called_so: int) -> list[str]:
    name = setting.input if called_so == 1 else setting.place
    values = tell_apart(list(map(str, setting.values)), lambda text: len(text) <= LABEL_LENGTH)
    return [f"{name}={value}" for value in values]
