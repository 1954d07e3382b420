"""Nodes that make what is no number, in every kind of value that a server tells of."""

import torch

from nodegraph import NodeContext, node
from nodes.charts.types import Series, Table
from nodes.types import Image, Latent, Mask

NAN, INFINITY = float("nan"), float("inf")
ODD = torch.tensor([NAN, INFINITY, -INFINITY, 0.5])


@node()
def OddImage(x: int = 0) -> Image:
    """A picture of four pixels, of which one is a number."""
    return Image(ODD.reshape(1, 2, 2, 1).repeat(1, 1, 1, 3))


@node()
def OddMask(x: int = 0) -> Mask:
    """The same as a mask."""
    return Mask(ODD.reshape(1, 2, 2))


@node()
def OddLatent(x: int = 0) -> Latent:
    """The same as latents."""
    return Latent(ODD.reshape(1, 1, 2, 2).repeat(1, 4, 1, 1))


@node(terminal=True)
def OddNumber(ctx: NodeContext, x: int = 0) -> float:
    """No number, shown before as a preview."""
    ctx.preview(Image(ODD.reshape(1, 2, 2, 1)))
    return NAN


@node(terminal=True)
def OddNumbers(x: int = 0) -> list[float]:
    """Some numbers, and one that is none."""
    return [0.5, INFINITY]


@node(terminal=True)
def OddCurve(x: int = 0) -> Series:
    """A curve with gaps."""
    return Series("loss", tuple(ODD.tolist()), (NAN, 1.0, 2.0, INFINITY))


@node(terminal=True)
def OddTable(x: int = 0) -> Table:
    """A table with gaps."""
    return Table(("loss", "name"), ((NAN, "a"), (0.5, "b")))
