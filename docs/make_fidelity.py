"""Writes the tables of differences from diffusers' pipelines into docs/fidelity.md.

    python docs/make_fidelity.py

Run it after a row was added to ``tests/nodes/pipeline_pairs.py`` or ``tests/nodes/trained_pairs.py``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

DOCUMENT = Path(__file__).with_name("fidelity.md")
TESTS = Path(__file__).parents[1] / "tests" / "nodes"
PIPELINES = (
    "| What is made | diffusers' pipeline | largest difference | spread of the latents |\n|---|---|---|---|\n"
)
TRAINED = (
    "| Adapter | diffusers' pipeline | largest difference | measured | without it | with it |\n"
    "|---|---|---|---|---|---|\n"
)


def pipelines(root: Path) -> str:
    """One line per pair, measured now."""
    from pipeline_pairs import PAIRS, prepared

    lines, place = [], prepared(root)
    for (what, pipeline), make in PAIRS.items():
        pair = make(place)
        expected = pair.theirs()
        difference = float((pair.ours() - expected).abs().max())
        lines.append(f"| {what} | `{pipeline}` | {rounded(difference)} | {float(expected.std()):.1f} |\n")
    return "".join(lines)


def trained(root: Path) -> str:
    """One line per adapter, which is taught now."""
    from trained_pairs import TRAINED, saved

    lines, ctx = [], saved(root)
    for (what, pipeline, measure), make in TRAINED.items():
        made = make(ctx)
        without, with_it = made.effect
        figures = f"{rounded(made.difference)} | {measure} | {without:.2f} | {with_it:.2f}"
        lines.append(f"| {what} | `{pipeline}` | {figures} |\n")
    return "".join(lines)


def rounded(difference: float) -> str:
    """Such as 3e-5."""
    return f"{difference:.0e}".replace("e-0", "e-")


def replaced(text: str, head: str, rows: Callable[[Path], str]) -> str:
    """The text with the table of that head made anew."""
    with tempfile.TemporaryDirectory() as folder:
        made = head + rows(Path(folder))
    return re.sub(re.escape(head) + r"(\|.*\n)*", lambda match: made, text)


def main() -> None:
    """Replace the tables."""
    sys.path.insert(0, str(TESTS))
    text = DOCUMENT.read_text()
    for head, rows in ((PIPELINES, pipelines), (TRAINED, trained)):
        text = replaced(text, head, rows)
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
