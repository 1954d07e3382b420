"""Tabs: what they are called, and that neither their results nor closed ones are lost with the page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, Opens, workflow
from served import Served

PICTURE = {
    "image": {"type": "EmptyImage", "inputs": {"width": 17, "height": 16}},  # in no cache yet
    "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}},
}
NUMBER = {"number": {"type": "Integer", "inputs": {"value": 1}}}


def tabs(editor: Editor) -> list[str]:
    """The names of the tabs; a dot where there is something to save."""
    return [text.replace("×", "").strip() for text in editor.page.locator(".tab").all_inner_texts()]


def called(editor: Editor, *names: str) -> None:
    editor.until(lambda: tabs(editor) == list(names), f"tabs called {names}", 10)


def reload(editor: Editor) -> None:
    """At once, whatever is still to be kept."""
    editor.page.reload()
    editor.ready()


def close(editor: Editor, name: str) -> None:
    editor.button(f"Close {name}").click()


def overlap(one: Any, other: Any) -> bool:
    a, b = one.bounding_box(), other.bounding_box()
    apart = (
        a["x"] + a["width"] <= b["x"]
        or b["x"] + b["width"] <= a["x"]
        or a["y"] + a["height"] <= b["y"]
        or b["y"] + b["height"] <= a["y"]
    )
    return not apart


def test_what_a_run_gave_is_there_after_a_reload(editor: Editor) -> None:
    editor.open(workflow(PICTURE, name="Kept"))
    editor.runs_to_the_end()
    reload(editor)
    assert editor.loaded(editor.picture("show"))
    editor.card("image").locator(".time").get_by_text(re.compile(r"^\d.* m?s$")).wait_for()
    called(editor, "Kept •")
    editor.runs_to_the_end()
    reload(editor)
    assert editor.loaded(editor.picture("show"))
    editor.card("image").locator(".time").get_by_text("from memory").wait_for()
    assert editor.page.evaluate("window.announced.filter((text) => text.startsWith('The run'))") == []


def test_a_failure_after_a_picture_is_there_after_a_reload(editor: Editor) -> None:
    editor.open(workflow({**PICTURE, "bad": {"type": "testing.Fails", "inputs": {"text": "this"}}}))
    editor.menu("bad", "Mute")
    editor.runs_to_the_end()
    editor.menu("bad", "Mute")
    editor.run()
    editor.card("bad").get_by_role("alert").wait_for()
    reload(editor)
    editor.card("bad").get_by_role("alert").wait_for()
    assert editor.loaded(editor.picture("show"))


def test_the_dot_of_what_is_not_saved_survives_a_reload(editor: Editor) -> None:
    editor.open(workflow(NUMBER))
    editor.save_as("dotted")
    reload(editor)
    called(editor, "dotted")
    editor.field("number", "value").fill("2")
    editor.press("Enter")
    reload(editor)
    called(editor, "dotted •")
    editor.press("Control+S")
    editor.said("dotted saved")
    reload(editor)
    called(editor, "dotted")


def test_what_was_done_can_be_undone_and_redone_after_a_reload(editor: Editor) -> None:
    editor.open(workflow(NUMBER))
    editor.save_as("undone")
    for value in ("2", "3"):
        editor.field("number", "value").fill(value)
        editor.press("Enter")
        editor.page.wait_for_timeout(1100)  # typing within a second is one step
    editor.canvas.focus()
    editor.press("Control+Z")
    reload(editor)
    values = []
    for keys in ("Control+Z", "Control+Shift+Z", "Control+Shift+Z", "Control+Z", "Control+Z"):
        editor.canvas.focus()
        editor.press(keys)
        values.append(editor.field("number", "value").input_value())
    assert values == ["1", "2", "3", "2", "1"]
    called(editor, "undone")  # as it was saved: there is nothing to save


def test_a_tab_is_called_as_it_was_saved(editor: Editor, site: Served) -> None:
    editor.open(workflow(PICTURE, name="Text to image"))
    editor.save_as("cats/sleeping")
    called(editor, "sleeping")
    assert editor.document()["name"] == "Text to image"
    editor.runs_to_the_end()
    [job, *_] = site.ask("GET", "/api/v1/jobs?limit=1").json["jobs"]
    assert job["label"] == "sleeping"
    reload(editor)
    called(editor, "sleeping")


@pytest.mark.parametrize("what", ["card", "frame"])
def test_escape_while_renaming_changes_nothing(editor: Editor, what: str) -> None:
    frame = {"id": "frame", "title": "Frame", "position": [0, 0], "size": [400, 300]}
    editor.open(workflow(NUMBER, ui={"groups": [frame]}))
    editor.save_as(f"renamed {what}")
    title = editor.title("number") if what == "card" else editor.page.locator(".frame-title")
    for key in ("Escape", "Enter"):  # nor does a name that stays
        title.dblclick()
        field = editor.page.get_by_role("textbox", name="Name", exact=True)
        if key == "Escape":
            field.fill("Something else")
        field.press(key)
        field.wait_for(state="detached")
        called(editor, f"renamed {what}")
        assert editor.button("Undo").is_disabled()
    title.dblclick()
    editor.page.get_by_role("textbox", name="Name", exact=True).fill("Something else")
    editor.press("Enter")
    called(editor, f"renamed {what} •")


def test_a_tab_closed_by_mistake_comes_back_by_the_notice(editor: Editor) -> None:
    for name in ("First", "Second"):
        editor.open(workflow(PICTURE, name=name))
    editor.button(re.compile("^First")).first.click()
    editor.runs_to_the_end()
    close(editor, "First")
    called(editor, "Second •")
    status = editor.page.get_by_role("status")
    status.get_by_role("button", name="Undo").click()
    called(editor, "First •", "Second •")
    assert editor.loaded(editor.picture("show"))
    status.get_by_text("First is closed").wait_for(state="detached")


def test_closed_tabs_come_back_after_a_reload(editor: Editor) -> None:
    for name in ("First", "Second"):
        editor.open(workflow(PICTURE, name=name))
    editor.runs_to_the_end()
    close(editor, "Second")
    close(editor, "First")
    reload(editor)
    editor.press("Alt+Shift+T")
    editor.card("show").wait_for()
    called(editor, "First •")
    editor.press("Alt+Shift+T")
    called(editor, "First •", "Second •")
    assert editor.loaded(editor.picture("show"))
    editor.press("Alt+Shift+T")
    editor.said("Nothing was closed")


@pytest.mark.parametrize("text_size", ["100%", "200%"])
def test_notices_and_issues_do_not_hide_each_other(site: Served, opens: Opens, text_size: str) -> None:
    editor = opens(site.url, viewport={"width": 1280, "height": 720})
    editor.page.evaluate(f"document.documentElement.style.fontSize = '{text_size}'")
    bad = {f"s{index}": {"type": "KSampler", "inputs": {"steps": 0}} for index in range(8)}
    for name in ("Spoilt", "Other"):
        editor.open(workflow(bad, name=name))
    issues = editor.page.get_by_role("region", name="Issues")
    close(editor, "Spoilt")
    notice = editor.page.get_by_role("status").get_by_text("Spoilt is closed")
    notice.wait_for()
    issues.get_by_role("button", name=re.compile(r"^Issues: \d+")).click()
    issues.get_by_role("listitem").first.wait_for()
    assert not overlap(notice, issues)
    for shown in (notice, issues):
        box = shown.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720
        assert box["width"] > 200


def test_what_is_being_typed_survives_a_reload(editor: Editor) -> None:
    editor.open(workflow({**NUMBER, "text": {"type": "Text", "inputs": {"text": "old"}}}))
    editor.field("text", "text").fill("new")
    editor.field("number", "value").click()
    editor.press("Control+A")
    editor.keyboard.type("42")
    reload(editor)
    editor.card("number").wait_for()
    nodes = editor.nodes()
    assert (nodes["number"]["inputs"], nodes["text"]["inputs"]) == ({"value": 42}, {"text": "new"})


def test_a_save_elsewhere_is_told_after_a_reload_too(site: Served, opens: Opens) -> None:
    one = opens(site.url)
    one.open(workflow(NUMBER))
    one.save_as("both")
    other = opens(site.url, one.page.context)
    other.panel("Workflows").get_by_role("button", name="both", exact=True).click()
    one.page.goto("about:blank")
    other.field("number", "value").fill("2")
    other.press("Enter", "Control+S")
    other.said("both saved")
    one.goto(site.url)
    one.page.get_by_text("both was saved elsewhere").wait_for()
    one.button("Look at it").click()
    one.button("Open theirs beside mine").click()
    called(one, "both", "both (theirs)")


def test_a_workflow_deleted_elsewhere_is_saved_anew(site: Served, opens: Opens) -> None:
    one = opens(site.url)
    one.open(workflow(NUMBER))
    one.save_as("deleted")
    other = opens(site.url)
    saved = other.panel("Workflows")
    saved.get_by_role("button", name="Delete deleted").click()
    one.said("deleted was deleted from the server")
    called(one, "deleted •")
    other.page.get_by_role("status").get_by_role("button", name="Undo").click()
    saved.get_by_role("button", name="deleted", exact=True).wait_for()
    saved.get_by_role("button", name="Delete deleted").click()
    saved.get_by_role("button", name="deleted", exact=True).wait_for(state="detached")
    one.press("Control+S")
    one.said("deleted saved")
    called(one, "deleted")
