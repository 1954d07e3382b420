"""Old previews make room for new ones."""

from __future__ import annotations

import os
from pathlib import Path

from nodegraph.server.pruning import prune_files


def fill(folder: Path, count: int, size: int = 100) -> list[Path]:
    """Files, the oldest first, in two subfolders."""
    paths = [folder / f"user{number % 2}" / f"{number}.png" for number in range(count)]
    for age, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    return paths


def test_the_oldest_go_first(tmp_path):
    paths = fill(tmp_path, 6)
    assert prune_files(tmp_path, 250) == 4
    assert [path for path in paths if path.exists()] == paths[4:]


def test_what_fits_stays(tmp_path):
    paths = fill(tmp_path, 3)
    assert prune_files(tmp_path, 300) == 0
    assert all(path.exists() for path in paths)


def test_a_folder_that_is_not_there_has_nothing_to_delete(tmp_path):
    assert prune_files(tmp_path / "none", 0) == 0


def test_a_link_goes_and_what_it_leads_to_stays(tmp_path):
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"mine")
    previews = tmp_path / "previews"
    previews.mkdir()
    (previews / "link.png").symlink_to(outside)
    assert prune_files(previews, 0) == 1
    assert outside.read_bytes() == b"mine"
