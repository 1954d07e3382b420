"""Our nodes and diffusers' pipelines end with the same latents, as the table in docs/fidelity.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pipeline_pairs import PAIRS, levels, loaded, prepared, sampled

TOLERANCE = 1e-4
TABLE = Path(__file__).parents[2] / "docs" / "fidelity.md"
OTHER_MACHINES = 20
"""By how much a difference that is all rounding may exceed the one in the table."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of diffusers
    pytest.mark.filterwarnings("ignore:`upcast_attention`:FutureWarning"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("models"))


def table():
    """Difference by row of the table."""
    _, _, section = TABLE.read_text().partition("## Pipelines against diffusers\n")
    section, _, _ = section.partition("\n## ")
    rows = re.findall(r"^\| (.+?) \| `(\w+)` \| (\de-\d) \|", section, re.MULTILINE)
    return {(what, pipeline): float(difference) for what, pipeline, difference in rows}


def test_the_table_has_a_row_for_every_pair():
    assert list(table()) == list(PAIRS)


@pytest.mark.parametrize("row", PAIRS, ids=" | ".join)
def test_equals_the_pipeline(place, row):
    pair = PAIRS[row](place)
    expected = pair.theirs()
    difference = float((pair.ours() - expected).abs().max())
    assert difference <= min(TOLERANCE, OTHER_MACHINES * table()[row])
    assert 0.05 < float(expected.std()) < 5  # neither nothing nor mere noise, whose spread is 15


def test_the_prompt_counts(place):
    parts = loaded(place, "sd1")
    without = sampled(parts, positive=parts.negative)
    assert float((sampled(parts) - without).abs().max()) > 100 * TOLERANCE


def test_the_shift_of_a_schedule_reaches_the_sampler(place):
    assert levels(loaded(place, "schnell").model) == pytest.approx([1.0, 0.75, 0.5, 0.25])
    shifted = levels(loaded(place, "sd3").model)
    assert shifted[:2] == pytest.approx([1.0, 3 * 0.75 / (1 + 2 * 0.75)])
