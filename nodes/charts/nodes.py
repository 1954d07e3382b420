"""Curves, histograms and tables out of values and pictures."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodes.charts.types import Cell, Series, Table
from nodes.types import Image

CHANNELS = {1: ("grey",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


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

    Args:
        image: the pictures.
        bins: into how many parts the range 0..1 is cut.
    """
    names = CHANNELS[image.pixels.shape[-1]]
    counts = (torch.histc(image.pixels[..., channel], bins, 0.0, 1.0) for channel in range(len(names)))
    centres = tuple((number + 0.5) / bins for number in range(bins))
    return [
        Series(name, tuple(count.tolist()), centres, "brightness", "pixels", "bars")
        for name, count in zip(names, counts, strict=True)
    ]


@node(category="charts")
def ImageStatistics(image: Image) -> Table:
    """Least, mean and largest value and standard deviation of each channel of each picture.

    Args:
        image: the pictures.
    """
    rows: list[tuple[Cell, ...]] = []
    for number, pixels in enumerate(image.pixels):
        for channel, name in enumerate(CHANNELS[image.pixels.shape[-1]]):
            plane = pixels[..., channel].double()
            spread = plane.std(correction=0)
            found = (plane.min(), plane.mean(), plane.max(), spread)
            rows.append((number, name, *(float(value) for value in found)))
    return Table(("picture", "channel", "min", "mean", "max", "std"), tuple(rows), "statistics")


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
