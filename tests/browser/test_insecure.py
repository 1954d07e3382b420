"""A page that came by plain HTTP from another machine: browsers keep some of what they offer from it."""

from __future__ import annotations

from editing import Editor, Opens, workflow
from served import Served

PLAIN_HTTP = """
delete Crypto.prototype.randomUUID;
delete Navigator.prototype.locks;
delete Navigator.prototype.clipboard;
"""
AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""


def plain(opens: Opens, site: Served, **more: object) -> Editor:
    return opens(site.url, scripts=[PLAIN_HTTP], **more)


def text(value: str) -> dict[str, object]:
    return workflow({"t": {"type": "testing.Slow", "inputs": {"steps": 1, "salt": value}}})


def test_the_editor_works_without_a_secure_context(site: Served, opens: Opens) -> None:
    editor = plain(opens, site)
    editor.open(text("kept"))
    editor.runs_to_the_end()
    editor.select("t")
    editor.press("Control+c")
    editor.said("1 copied")
    editor.canvas.focus()
    editor.press("Control+v")
    editor.until(lambda: len(editor.ids()) == 2, "the copy")
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    editor.until(lambda: len(editor.ids()) == 2, "what was kept")


def test_two_windows_keep_to_their_own_without_locks(site: Served, opens: Opens) -> None:
    first = plain(opens, site)
    first.open(text("of the first"))
    first.page.wait_for_timeout(AUTOSAVED)
    second = plain(opens, site, context=first.page.context)
    second.page.wait_for_timeout(AUTOSAVED)
    assert second.cards().count() == 0
    first.page.close()
    second.page.reload()
    second.ready()
    second.card("t").wait_for()


def test_what_a_browser_does_not_allow_is_told(site: Served, opens: Opens) -> None:
    editor = plain(opens, site)
    editor.open(text("menu"))
    editor.page.evaluate("document.execCommand = () => false")
    editor.menu("t", "Copy")
    editor.said("Not copied")
    editor.mouse.click(*editor.empty_place(), button="right")
    editor.page.get_by_role("menuitem", name="Paste Ctrl+V").click()
    editor.said("press Ctrl+V")
