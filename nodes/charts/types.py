"""Curves and tables, as editors draw them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Cell = str | int | float | bool | None

CHARACTERS = 32
"""How many a point takes at most, written as JSON."""
DIGITS = 6


@dataclass(frozen=True)
class Series:
    """A curve, such as a loss over training steps.

    Attributes:
        name: what it is called.
        y: its values; those that are not finite are gaps.
        x: where they are, as many as values; ``None`` for 0, 1, 2, …
        x_label: what ``x`` counts.
        y_label: what ``y`` measures.
        style: how it is drawn: a ``line``, or ``bars`` for a histogram.
    """

    name: str
    y: tuple[float, ...]
    x: tuple[float, ...] | None = None
    x_label: str = ""
    y_label: str = ""
    style: str = "line"

    def __post_init__(self) -> None:
        if self.x is not None and len(self.x) != len(self.y):
            raise ValueError(f"a Series has an x for each y, not {len(self.x)} for {len(self.y)}")

    def __shown__(self, longest: int) -> dict[str, Any]:
        """The curve as plain data, thinned to about ``longest`` characters; ``points`` says of how many."""
        step = max(1, math.ceil(len(self.y) * CHARACTERS / longest))
        xs = range(len(self.y)) if self.x is None else self.x
        return {
            "kind": "series",
            "name": self.name,
            "x": [_rounded(value) for value in xs[::step]],
            "y": [_rounded(value) for value in self.y[::step]],
            "x_label": self.x_label,
            "y_label": self.y_label,
            "style": self.style,
            "points": len(self.y),
        }


@dataclass(frozen=True)
class Table:
    """Rows of plain values, such as metrics of several pictures.

    Attributes:
        columns: what each column is called.
        rows: as many values in each as there are columns.
        name: what it is called.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(f"a row of a Table of {len(self.columns)} columns has {len(wrong)} values")

    def __shown__(self, longest: int) -> dict[str, Any]:
        """The table as plain data, cut to what ``longest`` characters hold; ``total`` says how many rows."""
        shown: list[list[Cell]] = []
        room = longest - CHARACTERS * (len(self.columns) + 2)
        for row in self.rows:
            room -= sum(len(str(cell)) + CHARACTERS for cell in row)
            if room < 0:
                break
            shown.append([_rounded(cell) if isinstance(cell, float) else cell for cell in row])
        return {
            "kind": "table",
            "name": self.name,
            "columns": list(self.columns),
            "rows": shown,
            "total": len(self.rows),
        }


def _rounded(value: float) -> float | None:
    """A number in as many digits as are seen; ``None`` for what JSON has no number for."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
