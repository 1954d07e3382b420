"""Runs go on, whatever becomes of the page or of the server; nothing that was edited is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from editing import Editor, Opens, workflow
from packs import write_packs
from served import Served

AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""


def slow(salt: str, steps: int = 30) -> dict[str, object]:
    return workflow({"slow": {"type": "testing.Slow", "inputs": {"steps": steps, "salt": salt}}})


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Served]:
    """A server that may be killed; it comes back at the same address."""
    served = Served(tmp_path)
    write_packs(served.plugins)
    served.start()
    port = served.url.rstrip("/").rsplit(":", 1)[1]
    served.options = (*served.options, "--port", port)
    yield served
    if served.process is not None:
        served.end()


def test_a_run_goes_on_while_the_page_is_loaded_anew(editor: Editor) -> None:
    editor.open(slow("reload", steps=60))
    editor.run()
    editor.card("slow").get_by_role("progressbar").wait_for()
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    editor.card("slow").get_by_role("progressbar").wait_for()
    editor.done()
    editor.card("slow").locator("output", has_text="60").wait_for()


def test_the_picture_of_a_run_is_there_again_when_the_page_is_loaded_anew(editor: Editor) -> None:
    """The node shows nothing more: what is seen is what it showed before."""
    editor.open(workflow({"shows": {"type": "testing.Shows", "inputs": {"salt": "seen again"}}}))
    editor.run()
    editor.picture("shows").wait_for()
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    editor.picture("shows").wait_for(timeout=10_000)
    assert editor.loaded(editor.picture("shows"))
    assert editor.button("Cancel").is_enabled(), "it still runs"


def test_what_ended_while_the_page_was_away_is_shown(site: Served, opens: Opens) -> None:
    editor = opens(site.url)
    editor.open(slow("away", steps=30))
    editor.run()
    editor.card("slow").get_by_role("progressbar").wait_for()
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.goto("about:blank")
    editor.page.wait_for_timeout(2500)
    editor.goto(site.url)
    editor.card("slow").locator("output", has_text="30").wait_for()


def test_a_run_goes_on_after_the_server_was_killed(own_site: Served, opens: Opens) -> None:
    editor = opens(own_site.url)
    editor.open(slow("killed"))
    editor.run()
    editor.card("slow").get_by_role("progressbar").wait_for()
    own_site.end(signal.SIGKILL)
    editor.page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
    editor.field("slow", "salt").fill("killed, and edited meanwhile")
    own_site.start()
    editor.page.get_by_text("The server does not answer").wait_for(state="detached")
    editor.card("slow").locator("output", has_text="30").wait_for(timeout=60_000)
    assert editor.nodes()["slow"]["inputs"]["salt"] == "killed, and edited meanwhile"
