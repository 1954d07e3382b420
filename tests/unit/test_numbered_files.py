"""Numbered files: nothing is overwritten, and numbers go on, however many there are."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nodegraph.errors import FileProblem
from nodegraph.execution.numbered_files import write_numbered


def write(folder: Path, prefix: str = "cat", data: bytes = b"x") -> str:
    path = write_numbered(folder, prefix, ".png", data)
    assert path.read_bytes() == data
    return path.relative_to(folder).as_posix()


def test_numbers_go_on_from_the_highest(tmp_path):
    for name in ("cat_00007.png", "cat_00003.png", "cat_00009.jpg", "cat_x.png", "cats_00020.png"):
        (tmp_path / name).touch()
    assert [write(tmp_path), write(tmp_path)] == ["cat_00008.png", "cat_00009.png"]
    assert [write(tmp_path, "a/cat"), write(tmp_path, "cats")] == ["a/cat_00001.png", "cats_00021.png"]


def test_what_another_program_wrote_meanwhile_stays(tmp_path):
    write(tmp_path)
    for number in (2, 3):
        (tmp_path / f"cat_{number:05}.png").write_bytes(b"theirs")
    assert write(tmp_path) == "cat_00004.png"
    assert (tmp_path / "cat_00002.png").read_bytes() == b"theirs"


def test_a_folder_that_was_emptied_begins_again(tmp_path):
    folder = tmp_path / "out"
    assert [write(folder), write(folder)] == ["cat_00001.png", "cat_00002.png"]
    shutil.rmtree(folder)
    assert write(folder) == "cat_00001.png"


def test_there_may_be_more_than_five_digits_hold(tmp_path):
    (tmp_path / "cat_99999.png").touch()
    assert [write(tmp_path), write(tmp_path)] == ["cat_100000.png", "cat_100001.png"]


def test_the_folder_is_listed_once_however_many_are_written(tmp_path, monkeypatch):
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    for _ in range(50):
        write(tmp_path)
    assert len(listed) == 1


def test_threads_that_write_at_once_take_different_names(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: write(tmp_path, data=b"%d" % number), range(100)))
    assert sorted(names) == [f"cat_{number:05}.png" for number in range(1, 101)]


@pytest.mark.parametrize("prefix", ["../cat", "/etc/cat", "a/../../cat"])
def test_nothing_is_written_outside_the_folder(tmp_path, prefix):
    folder = tmp_path / "out"
    with pytest.raises(FileProblem, match="outside the output folder"):
        write_numbered(folder, prefix, ".png", b"x")
    assert not list(tmp_path.rglob("*cat*"))


@pytest.mark.parametrize("prefix", ["", ".", "a/..", "./"])
def test_no_name_is_said_to_be_none(tmp_path, prefix):
    with pytest.raises(FileProblem, match="names no file in the output folder; use a name"):
        write_numbered(tmp_path, prefix, ".png", b"x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("prefix", ["é" * 200, "a" * 5000 + "/cat", "cats/" + "a" * 250])
def test_a_name_that_is_too_long_is_blamed_and_not_the_folder(tmp_path, prefix):
    with pytest.raises(FileProblem, match=r"^'.*\.\.\..*' is too long for a file's name; use a shorter one$"):
        write_numbered(tmp_path, prefix, ".png", b"x")


@pytest.mark.parametrize("prefix", ["c\0at", "\x1b[31mcat", "cat\n", "\ud800", "\x9b31m"])
def test_no_file_is_named_by_what_a_terminal_obeys(tmp_path, prefix):
    with pytest.raises(FileProblem, match="holds characters"):
        write(tmp_path, prefix)
    assert list(tmp_path.iterdir()) == []


def test_every_letter_may_be_in_a_name(tmp_path):
    assert write(tmp_path, "猫\u3000ネコ 👩‍🎨") == "猫\u3000ネコ 👩‍🎨_00001.png"
