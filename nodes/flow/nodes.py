"""Nodes that decide what runs: a switch, and loops that return subgraphs."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field

from nodegraph import Lazy, NodeContext, Subgraph, node
from nodegraph.body import Body
from nodegraph.errors import InputError
from nodes.values.nodes import GetItem

T = TypeVar("T")
Anything = Annotated[Any, T]


def _chosen_side(condition: bool) -> list[str]:
    return ["on_true"] if condition else ["on_false"]


@node(category="flow", needs=_chosen_side)
def Switch(
    condition: bool,
    on_true: Annotated[Any, T, Lazy()],
    on_false: Annotated[Any, T, Lazy()],
) -> Anything:
    """Pass on one of two values; the side that is not chosen is never computed.

    Args:
        condition: which side to pass on.
        on_true: the value when ``condition`` is on.
        on_false: the value when it is off.
    """
    return on_true if condition else on_false


@node(category="flow", outputs=["value"])
def Repeat(
    ctx: NodeContext,
    body: Body,
    value: Annotated[Any, T, Lazy()],
    times: Annotated[int, Field(ge=0, le=100_000)] = 2,
) -> Anything | Subgraph:
    """Apply a subgraph to a value again and again.

    Each iteration is cached on its own: raising ``times`` computes only what is new.

    Args:
        body: a subgraph with one output. Its input ``value`` (or its only input) receives what the
            iteration before gave, its input ``index``, if it has one, the number of the iteration from 0.
        value: what the first iteration receives.
        times: how many iterations; 0 passes the value on.
    """
    output, current, also = _single_output(body), ctx.input("value"), []
    for index in range(times):
        outputs, terminals = body.call(**_arguments(body, "value", current, index))
        current = outputs[output]
        also += terminals
    return Subgraph(*also, value=current)


@node(category="flow", outputs=["results"])
def ForEach(ctx: NodeContext, body: Body, items: list[Any]) -> list[Any] | Subgraph:
    """Apply a subgraph to every element of a list; the iterations are independent of one another.

    Args:
        body: a subgraph with one output. Its input ``item`` (or its only input) receives the element, its
            input ``index``, if it has one, the element's number from 0.
        items: the list.
    """
    wire = ctx.input("items")
    output, results, also = _single_output(body), [], []
    for index in range(len(items)):
        item = wire[index] if isinstance(wire, list) else GetItem.node(wire, index)
        outputs, terminals = body.call(**_arguments(body, "item", item, index))
        results.append(outputs[output])
        also += terminals
    return Subgraph(*also, results=results)


def _single_output(body: Body) -> str:
    if len(body.outputs) != 1:
        names = ", ".join(body.outputs) or "none"
        raise InputError("body", f"a loop needs a subgraph with one output; {body.name} has {names}")
    return next(iter(body.outputs))


def _arguments(body: Body, name: str, value: Any, index: int) -> dict[str, Any]:
    """What one iteration is given: the value under ``name`` or the only other input, and the index."""
    others = [input for input in body.inputs if input != "index"]
    if name not in others and len(others) != 1:
        raise InputError("body", f"a loop needs a subgraph with an input {name!r}; {body.name} has {others}")
    arguments = {name if name in others else others[0]: value}
    return {**arguments, "index": index} if "index" in body.inputs else arguments
