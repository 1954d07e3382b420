"""Values that no one would write on purpose end in a plain error, never in a hang or a bare traceback."""

import copy
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Workflow, node, with_id
from nodegraph.digests import DigestCache
from nodegraph.errors import FileProblem, ValidationError, WorkflowError
from nodegraph.files import Folders


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no text")


@node()
def Count(items: list[Any]) -> int:
    """How many."""
    return len(items)


@node()
def Wide(width: int = 1) -> int:
    """A number."""
    return width


@node(terminal=True)
def Endless(times: int = 1) -> Any:
    """A list that contains itself."""
    items: list[Any] = []
    items.append(items)
    return items


@node()
def Break(how: str) -> int:
    """Fails in odd ways."""
    if how == "silent":
        raise Unspeakable
    raise ValueError("\ud800" + "x" * 1_000_000)


def test_a_list_that_contains_itself_is_an_issue(make_engine):
    items: list[Any] = [1]
    items.append(items)
    with pytest.raises(ValidationError, match="items"):
        make_engine(Count).run_sync(Workflow.from_outputs(Count.node(items)))


def test_an_integer_too_large_to_be_written_is_named_as_such(make_engine):
    with pytest.raises(ValidationError, match="a very large int"):
        make_engine(Count).run_sync(Workflow.from_outputs(Count.node(10**5000)))


def test_a_result_that_contains_itself_names_no_files(make_engine):
    result = make_engine(Endless).run_sync(Workflow.from_outputs(Endless.node()))
    assert (result.status, result.files) == ("done", [])


def test_the_class_of_an_exception_without_text_is_told(make_engine):
    [error] = make_engine(Break).run_sync(Workflow.from_outputs(Break.node("silent"))).errors
    assert "Unspeakable" in str(error)


def test_a_message_is_cut_and_can_be_written_to_any_file(make_engine):
    [error] = make_engine(Break).run_sync(Workflow.from_outputs(Break.node("long"))).errors
    assert len(str(error).encode()) < 10_000
    assert "characters left out" in str(error)


@pytest.mark.parametrize("id", [5, None, "\ud800"])
def test_an_id_must_be_text(id):
    with pytest.raises(WorkflowError, match="must be text"):
        with_id(Wide.node(), id)


def test_a_handle_can_be_copied():
    assert repr(copy.copy(Wide.node())) == repr(Wide.node())


async def _run_inside(engine):
    engine.run_sync(Workflow.from_outputs(Wide.node()))


def test_run_sync_inside_an_event_loop_says_what_would_do(make_engine):
    import asyncio

    with pytest.raises(WorkflowError, match=r"await engine\.run"):
        asyncio.run(_run_inside(make_engine(Wide)))


@pytest.mark.parametrize("name", ["folder", ".", "x" * 5000, ""])
def test_an_input_that_is_no_file_is_a_problem(tmp_path: Path, name):
    (tmp_path / "inputs" / "folder").mkdir(parents=True)
    folders = Folders(tmp_path / "out", inputs=(tmp_path / "inputs",), any_path=True)
    with pytest.raises(FileProblem) as caught:
        folders.resolve("inputs", name)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_database_of_digests_is_begun_anew(tmp_path: Path, content):
    (tmp_path / "digests.sqlite").write_bytes(content)
    (tmp_path / "file").write_bytes(b"abc")
    cache = DigestCache(tmp_path / "digests.sqlite")
    assert cache.digest(tmp_path / "file").startswith("ba7816bf")
    cache.close()


def test_a_database_of_digests_that_cannot_be_made_is_done_without(tmp_path: Path):
    (tmp_path / "digests.sqlite").mkdir()
    (tmp_path / "file").write_bytes(b"abc")
    assert DigestCache(tmp_path / "digests.sqlite").digest(tmp_path / "file").startswith("ba7816bf")
