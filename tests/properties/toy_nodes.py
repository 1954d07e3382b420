"""Small nodes of every kind the engine knows, to build random graphs from."""

import asyncio
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field

from nodegraph import Lazy, NodeContext, node
from nodegraph.declaration import NodeFunction
from nodegraph.registry import NodeRegistry
from nodes.flow.nodes import ForEach, Repeat, Switch
from nodes.values.nodes import CreateList, GetItem

T = TypeVar("T")


@node()
def Add(a: int, b: int = 1) -> int:
    return (a + b) % 1009


@node()
def Scale(x: float, by: float = 0.5) -> float:
    return x * by % 10.0


@node()
def Join(a: str, b: str = "-") -> str:
    return (a + b)[-20:]


@node()
def IsEven(x: int) -> bool:
    return x % 2 == 0


@node()
def Small(x: int) -> int:
    """0, 1, 2 or 3: few enough to count by."""
    return x % 4


@node()
def Span(x: int) -> list[int]:
    """A list of 0 to 3 numbers."""
    return list(range(x % 4))


@node()
def Total(items: list[float]) -> float:
    return float(sum(items)) % 10.0


@node()
def Words(items: list[str], separator: str = " ") -> str:
    return separator.join(items)[-20:]


class Division(NamedTuple):
    quotient: int
    remainder: int


@node()
def Divide(a: int, b: int = 2) -> Division:
    """Fails where ``b`` is 0."""
    return Division(*divmod(a, b))


@node()
def Narrow(x: Annotated[int, Field(ge=-5, le=500)]) -> int:
    """Fails where the wire brings a number outside its range."""
    return x - 1


@node()
def Choose(mode: Literal["first", "second"], first: int, second: int) -> int:
    return first if mode == "first" else second


@node()
def Extend(x: int, extra: int | None = None) -> int:
    return x if extra is None else x + extra


@node()
def Name(value: int | str) -> str:
    return f"{type(value).__name__} {value}"


@node()
def Show(value: Any) -> str:
    return repr(value)[-60:]


@node(outputs=["value"])
def Same(value: T) -> T:
    return value


@node()
async def Later(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@node()
async def Soon(ctx: NodeContext, text: str, times: int = 1) -> str:
    ctx.progress(1, 2)
    await asyncio.sleep(0.0005)
    return (text * (times % 3))[-20:]


@node(cache=False)
def Tick(x: int) -> int:
    """Runs anew in every run, and so does what follows."""
    return x + 2


def _preferred(first: bool) -> list[str]:
    return ["a"] if first else ["b"]


@node(needs=_preferred)
def Prefer(first: bool, a: Annotated[int, Lazy()], b: Annotated[int, Lazy()] = 7) -> int:
    """A switch of one type, so that a list may be wired into its lazy sides."""
    return (a + 100) if first else (b + 200)


@node(terminal=True, outputs=["value"])
def Result(value: T) -> T:
    return value


TOYS: tuple[NodeFunction[Any, Any, Any, Any], ...] = (
    *(Add, Scale, Join, IsEven, Small, Span, Total, Words, Divide, Narrow, Choose, Extend, Name, Show),
    *(Same, Later, Soon, Tick, Prefer, Result, CreateList, GetItem, Switch, Repeat, ForEach),
)


def toy_registry() -> NodeRegistry:
    """A registry of these nodes."""
    registry = NodeRegistry()
    for toy in TOYS:
        registry.add(toy)
    return registry
