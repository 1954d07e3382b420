"""A browser that keeps nothing, or keeps it badly: the editor works all the same, and says what is lost."""

from __future__ import annotations

import json

import pytest
from editing import Editor, Opens, workflow
from served import Served

KEEPS_NOTHING = "This browser keeps nothing of your edits"
KEEPS_NOT_ALL = "This browser does not keep all"
AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""

DENIED = (
    """Object.defineProperty(window, "%s", {get() { throw new DOMException("denied", "SecurityError") }});"""
)
FULL = """
IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError") };
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") };
"""
WITHOUT = {
    "no database": ("Object.defineProperty(window, 'indexedDB', {value: undefined});", KEEPS_NOTHING),
    "no storage": ((DENIED % "localStorage") + (DENIED % "sessionStorage"), KEEPS_NOT_ALL),
    "no room": (FULL, KEEPS_NOTHING),
}


def slow(salt: str) -> dict[str, object]:
    return workflow({"slow": {"type": "testing.Slow", "inputs": {"steps": 3, "salt": salt}}})


def runs(editor: Editor, salt: str) -> None:
    editor.open(slow(salt))
    editor.runs_to_the_end()
    editor.card("slow").locator("output", has_text="3").wait_for()


@pytest.mark.parametrize("case", WITHOUT)
def test_workflows_run_and_the_loss_is_told(site: Served, opens: Opens, case: str) -> None:
    script, told = WITHOUT[case]
    editor = opens(site.url, scripts=[script])
    runs(editor, f"without {case}")
    editor.page.get_by_role("alert").get_by_text(told).wait_for()


@pytest.mark.parametrize("text", ["{garb", json.dumps([{"key": "x", "text": 5}])])
def test_damaged_notes_neither_stop_runs_nor_the_keeping_of_edits(
    site: Served, opens: Opens, text: str
) -> None:
    damage = f"""if (!sessionStorage.hurt) {{
        sessionStorage.hurt = "1";
        localStorage["nodegraph.left.x"] = {json.dumps(text)};
        localStorage["nodegraph.settings"] = {json.dumps(text)};
    }}"""
    editor = opens(site.url, scripts=[damage])
    runs(editor, f"damaged {text}")
    editor.page.wait_for_timeout(AUTOSAVED)
    hurt_notes = """for (const name of Object.keys(localStorage))
        if (name.startsWith("nodegraph.runs.")) localStorage[name] = "{garb";"""
    editor.page.evaluate(hurt_notes)
    editor.page.reload()
    editor.ready()
    assert editor.field("slow", "salt").input_value() == f"damaged {text}"
    editor.field("slow", "salt").fill(f"again {text}")
    editor.canvas.focus()
    editor.runs_to_the_end()
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    assert editor.field("slow", "salt").input_value() == f"again {text}"
