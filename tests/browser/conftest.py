"""A real server and Debian's Chromium for the tests of the editor."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from editing import Editor, Opens
from packs import write_packs
from served import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = Path(__file__).parents[2] / "web" / "dist" / "index.html"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb"),
]
SIZE = {"width": 1440, "height": 900}
SLOW = 30_000
"""Milliseconds that anything may take before a test gives up; the machine may be busy."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that the tests share, with packs of nodes for them."""
    served = Served(tmp_path_factory.mktemp("site"))
    write_packs(served.plugins)
    yield served.start()
    served.end()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; of the module alone, because Playwright keeps an event loop running in this thread."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here")
    if not BUILT.exists():
        pytest.skip("the editor is not built: make web")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opens(chromium: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opens]:
    """Opens the editor of a server in a browser that has never seen it; a failed test leaves a picture.

    No test passes while the page reports an error that nobody caught.
    """
    contexts: list[Any] = []
    editors: list[Editor] = []

    def open_editor(url: str, context: Any = None, scripts: Sequence[str] = (), **options: Any) -> Editor:
        if context is None:
            given = {"viewport": SIZE, "permissions": ["clipboard-read", "clipboard-write"], **options}
            context = chromium.new_context(**given)
            context.set_default_timeout(SLOW)
            contexts.append(context)
        editor = Editor(context.new_page(), url, scripts)
        editors.append(editor)
        return editor

    yield open_editor
    if kept := os.environ.get("NODEGRAPH_SCREENSHOTS"):
        for number, editor in enumerate(editors):
            if not editor.page.is_closed():
                editor.page.screenshot(path=Path(kept) / f"{request.node.name}-{number}.png")
    for context in contexts:
        context.close()
    assert [error for editor in editors for error in editor.errors] == []


@pytest.fixture
def editor(site: Served, opens: Opens) -> Iterator[Editor]:
    """The editor with an empty canvas; what it started and left running does not keep others waiting."""
    yield opens(site.url)
    queue = site.ask("GET", "/api/v1/queue").json
    for job in (*queue["running"], *queue["waiting"]):
        site.ask("POST", f"/api/v1/jobs/{job['id']}/cancel")
