"""Curves and tables: what the nodes compute, and what clients are told of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.codec import decode, encode
from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.worker.telling import told_value
from nodes import ImageHistogram, ImageStatistics, PreviewSeries, PreviewTable, SeriesFromList
from nodes.charts.types import Series, Table
from nodes.types import Image

FOLDERS = Folders(output=Path("output"))


def image(*values: float) -> Image:
    """Grey pictures of two pixels each, all of one row."""
    return Image(torch.tensor(values).reshape(-1, 1, 2, 1))


def test_a_histogram_counts_every_pixel_once():
    pixels = torch.rand(2, 5, 7, 3, generator=torch.Generator().manual_seed(1))
    histograms = ImageHistogram(Image(pixels), bins=10)
    assert [series.name for series in histograms] == ["red", "green", "blue"]
    for channel, series in enumerate(histograms):
        inside = (pixels[..., channel, None] * 10).long().clamp(max=9) == torch.arange(10)
        assert list(series.y) == inside.sum(dim=(0, 1, 2)).tolist()
        assert sum(series.y) == 2 * 5 * 7
    assert histograms[0].x is not None and histograms[0].x[0] == pytest.approx(0.05)


def test_statistics_are_those_of_each_picture():
    table = ImageStatistics(image(0.0, 1.0, 0.25, 0.25))
    assert table.columns == ("picture", "channel", "min", "mean", "max", "std", "not finite")
    assert table.rows == ((0, "grey", 0.0, 0.5, 1.0, 0.5, 0), (1, "grey", 0.25, 0.25, 0.25, 0.0, 0))
    assert PreviewTable(table) == table


NAN, INFINITY = float("nan"), float("inf")


def test_statistics_count_what_is_no_number_and_measure_the_rest():
    rows = ImageStatistics(image(NAN, 0.5, INFINITY, 0.0, NAN, -INFINITY)).rows
    assert rows == (
        (0, "grey", 0.5, 0.5, 0.5, 0.0, 1),
        (1, "grey", 0.0, 0.0, 0.0, 0.0, 1),
        (2, "grey", None, None, None, None, 2),
    )


def test_a_histogram_says_how_many_values_it_leaves_out():
    (series,) = ImageHistogram(image(NAN, 0.25, INFINITY, -0.5, 1.0, 2.0), bins=2)
    assert (series.y, series.name) == ((1.0, 1.0), "grey without 4 outside 0..1")


def test_a_histogram_counts_more_than_float32_can():
    many = 2**24 + 3
    (series,) = ImageHistogram(Image(torch.zeros(1, 1, 1, 1).expand(1, 1, many, 1)), bins=2)
    assert (series.y, series.name) == ((many, 0), "grey")


def test_several_curves_are_shown_in_one_chart():
    curve = SeriesFromList([1.0, 2.0], "loss", "step")
    assert PreviewSeries(curve) == [curve]
    assert PreviewSeries([curve, curve]) == [curve, curve]
    with pytest.raises(InputError, match="no curve"):
        PreviewSeries([])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 for 1"):
        Series("a", (1.0,), (0.0, 1.0))
    with pytest.raises(ValueError, match="2 columns has 1"):
        Table(("a", "b"), ((1,),))


NUMBERS = st.lists(st.floats(), max_size=3000)


@given(NUMBERS, st.sampled_from([1000, 8192, 65536]))
def test_clients_are_told_of_any_curve_in_bounded_length(values, longest):
    [told] = told_value(Series("loss", tuple(values)), FOLDERS, longest)
    shown = told["value"]
    assert len(json.dumps(told, allow_nan=False)) <= longest + 200
    assert (told["kind"], shown["points"]) == ("series", len(values))
    assert len(shown["x"]) == len(shown["y"])
    for x, y in zip(shown["x"], shown["y"], strict=True):
        given = values[x if isinstance(x, int) else int(x)]
        assert y == pytest.approx(given, rel=1e-5) if math.isfinite(given) else y is None


@given(st.lists(st.tuples(st.text(max_size=9), st.floats() | st.none() | st.booleans()), max_size=400))
def test_tables_are_cut_and_say_so(rows):
    [told] = told_value(Table(("name", "value"), tuple(rows)), FOLDERS, 4000)
    assert len(json.dumps(told, allow_nan=False, ensure_ascii=False)) <= 4400
    assert (told["kind"], told["value"]["total"]) == ("table", len(rows))
    assert len(told["value"]["rows"]) == len(rows) or len(rows) > 30


@given(NUMBERS)
def test_curves_are_stored_as_they_are(values):
    series = Series("loss", tuple(values), style="bars")
    again = decode(*encode(series))
    assert repr(again) == repr(series)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (NAN, "nan"),
        (-INFINITY, "-inf"),
        ([1.0, INFINITY, NAN], "a list with inf and nan"),
        ({"loss": NAN}, "a dict"),
    ],
)
def test_values_that_are_no_numbers_are_named(value, named):
    assert told_value(value, FOLDERS) == [{"note": f"{named}, which JSON cannot say"}]


def test_what_a_pack_does_wrong_is_told_in_its_place():
    class Odd:
        def __shown__(self, longest: int) -> dict[str, object]:
            return {"kind": "odd", "value": object()}

    [told] = told_value(Odd(), FOLDERS)
    assert "__shown__ failed: TypeError" in told["note"]
