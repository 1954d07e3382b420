"""Nodes that decide what runs: a switch, loops that return subgraphs, and what marks their ends."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field

from nodegraph import Body, BodyInterface, Lazy, NodeContext, Subgraph, node
from nodes.values.nodes import GetItem

T = TypeVar("T")
U = TypeVar("U")
Anything = Annotated[Any, T]
AnythingElse = Annotated[Any, U]

ITERATION = BodyInterface(takes={"value": T}, may_take={"index": int}, gives={"result": T})
FOR_ELEMENT = BodyInterface(takes={"item": T}, may_take={"index": int}, gives={"result": U})


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
def Identity(value: Anything) -> Anything:
    """Pass a value on as it is: a named place for wires, such as where the body of a loop begins and ends.

    Args:
        value: anything.
    """
    return value


@node(category="flow", outputs=["value"])
def Repeat(
    ctx: NodeContext,
    body: Annotated[Body, ITERATION],
    value: Annotated[Any, T, Lazy()],
    times: Annotated[int, Field(ge=0, le=100_000)] = 2,
) -> Anything | Subgraph:
    """Apply a subgraph to a value again and again.

    Each iteration is cached on its own: raising ``times`` computes only what is new.

    Args:
        body: a subgraph whose output (``result``, if it has several) is what its input ``value`` (or its
            only input) receives in the next iteration. Its input ``index``, if it has one, receives the
            number of the iteration from 0.
        value: what the first iteration receives.
        times: how many iterations; 0 passes the value on.
    """
    current, also = ctx.input("value"), []
    for index in range(times):
        outputs, terminals = ITERATION.call(body, value=current, index=index)
        current = outputs["result"]
        also += terminals
    return Subgraph(*also, value=current)


@node(category="flow", outputs=["results"])
def ForEach(
    ctx: NodeContext, body: Annotated[Body, FOR_ELEMENT], items: list[Anything]
) -> list[AnythingElse] | Subgraph:
    """Apply a subgraph to every element of a list; the iterations are independent of one another.

    Args:
        body: a subgraph whose output (``result``, if it has several) is collected. Its input ``item`` (or
            its only input) receives the element, its input ``index``, if it has one, the element's number
            from 0.
        items: the list.
    """
    wire = ctx.input("items")
    results, also = [], []
    for index in range(len(items)):
        item = wire[index] if isinstance(wire, list) else GetItem.node(wire, index)
        outputs, terminals = FOR_ELEMENT.call(body, item=item, index=index)
        results.append(outputs["result"])
        also += terminals
    return Subgraph(*also, results=results)
