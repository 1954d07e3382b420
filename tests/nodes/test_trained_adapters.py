"""Adapters that were taught something do it in our nodes, bit for bit nearly as in diffusers' pipelines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_pipelines import OTHER_MACHINES, TOLERANCE
from trained_pairs import TRAINED, saved

DOCUMENT = Path(__file__).parents[2] / "docs" / "fidelity.md"
ROW = re.compile(r"^\| (.+?) \| `(\w+)` \| (\de-\d) \| (.+?) \| (\d\.\d+) \| (\d\.\d+) \|", re.MULTILINE)


def table():
    """Difference, and what was measured without the adapter and with it, by row of the table."""
    _, _, section = DOCUMENT.read_text().partition("## Trained adapters against diffusers\n")
    section, _, _ = section.partition("\n## ")
    return {
        (what, pipeline, measure): (float(difference), float(without), float(with_it))
        for what, pipeline, difference, measure, without, with_it in ROW.findall(section)
    }


def test_the_table_has_a_row_for_every_adapter():
    assert list(table()) == list(TRAINED)


@pytest.fixture(scope="module")
def ctx(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models"))


@pytest.mark.slow  # they are taught first, which takes a minute or two
@pytest.mark.parametrize("row", TRAINED, ids=" | ".join)
def test_it_equals_the_pipeline_and_does_what_it_was_taught(ctx, row):
    made = TRAINED[row](ctx)
    difference, without, with_it = table()[row]
    assert made.difference <= min(TOLERANCE, OTHER_MACHINES * difference)
    assert made.effect == pytest.approx(
        (without, with_it), abs=0.1
    )  # another machine learns a little otherwise
    assert abs(with_it - without) > 0.15
