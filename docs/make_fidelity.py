"""Writes the table of differences from diffusers' pipelines into docs/fidelity.md.

    python docs/make_fidelity.py

Run it after a row was added to ``tests/nodes/pipeline_pairs.py``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

DOCUMENT = Path(__file__).with_name("fidelity.md")
TESTS = Path(__file__).parents[1] / "tests" / "nodes"
HEAD = (
    "| What is made | diffusers' pipeline | largest difference | spread of the latents |\n|---|---|---|---|\n"
)


def rows() -> str:
    """One line per pair, measured now."""
    sys.path.insert(0, str(TESTS))
    from pipeline_pairs import PAIRS, prepared

    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = prepared(Path(folder))
        for (what, pipeline), make in PAIRS.items():
            pair = make(root)
            expected = pair.theirs()
            difference = float((pair.ours() - expected).abs().max())
            figures = f"{difference:.0e}".replace("e-0", "e-"), f"{float(expected.std()):.1f}"
            lines.append(f"| {what} | `{pipeline}` | {' | '.join(figures)} |\n")
    return "".join(lines)


def main() -> None:
    """Replace the table."""
    text = DOCUMENT.read_text()
    made = re.sub(re.escape(HEAD) + r"(\|.*\n)*", lambda match: HEAD + rows(), text)
    DOCUMENT.write_text(made)


if __name__ == "__main__":
    main()
