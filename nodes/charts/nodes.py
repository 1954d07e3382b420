"""Curves, histograms and tables out of values and pictures."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import node
from nodegraph.errors import InputError
from nodes.charts.types import Cell, Series, Table
from nodes.types import Image

CHANNELS = {1: ("grey",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}
STATISTICS = ("min", "mean", "max", "std", "not finite")


@node(category="charts")
def SeriesFromList(values: list[float], name: str = "values", x_label: str = "", y_label: str = "") -> Series:
    """A curve from numbers, such as the loss history of an optimisation.

    Args:
        values: the numbers, in order.
        name: what the curve is called.
        x_label: what is counted along it.
        y_label: what the numbers measure.
    """
    return Series(name, tuple(values), None, x_label, y_label)


@node(category="charts")
def ImageHistogram(image: Image, bins: Annotated[int, Field(ge=2, le=1024)] = 64) -> list[Series]:
    """How often each brightness occurs, a histogram for each channel of all pictures together.

    Values outside 0..1, and those that are no numbers, are not counted; the name of a curve says how many.

    Args:
        image: the pictures.
        bins: into how many parts the range 0..1 is cut.
    """
    names = CHANNELS[image.pixels.shape[-1]]
    return [_histogram(name, image.pixels[..., channel], bins) for channel, name in enumerate(names)]


def _histogram(name: str, plane: Tensor, bins: int) -> Series:
    counts = torch.histc(plane.double(), bins, 0.0, 1.0)  # a count in float32 ends at 2**24
    outside = plane.numel() - int(counts.sum())
    shown = f"{name} without {outside} outside 0..1" if outside else name
    centres = tuple((number + 0.5) / bins for number in range(bins))
    return Series(shown, tuple(counts.tolist()), centres, "brightness", "pixels", "bars")


@node(category="charts")
def ImageStatistics(image: Image) -> Table:
    """Least, mean and largest value and standard deviation of each channel of each picture.

    Numbers that are NaN or infinite are counted, and are not part of the rest.

    Args:
        image: the pictures.
    """
    rows: list[tuple[Cell, ...]] = []
    for number, pixels in enumerate(image.pixels):
        for channel, name in enumerate(CHANNELS[image.pixels.shape[-1]]):
            rows.append((number, name, *_statistics(pixels[..., channel])))
    return Table(("picture", "channel", *STATISTICS), tuple(rows), "statistics")


def _statistics(plane: Tensor) -> tuple[Cell, ...]:
    """``STATISTICS`` of a plane; ``None`` where none of its numbers is finite."""
    finite = plane[plane.isfinite()].double()
    rest = plane.numel() - finite.numel()
    if finite.numel() == 0:
        return (None, None, None, None, rest)
    found = (finite.min(), finite.mean(), finite.max(), finite.std(correction=0))
    return (*(float(value) for value in found), rest)


@node(category="charts", terminal=True)
def PreviewSeries(series: Series | list[Series]) -> list[Series]:
    """Show curves in one chart.

    Args:
        series: one curve, or several.
    """
    curves = series if isinstance(series, list) else [series]
    if not curves:
        raise InputError("series", "there is no curve to show; wire one in")
    return curves


@node(category="charts", terminal=True)
def PreviewTable(table: Table) -> Table:
    """Show a table.

    Args:
        table: the table.
    """
    return table
