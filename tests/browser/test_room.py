"""Small windows: the canvas keeps its room beside panels, and a phone shows everything that there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, Opens, workflow
from served import Served

SPILT = "() => [document.documentElement, document.body].some((one) => one.scrollWidth > innerWidth)"


def is_open(editor: Editor, name: str) -> bool:
    return bool(editor.page.get_by_role("region", name=name, exact=True).count())


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)])
def test_one_panel_at_a_time_leaves_room_for_the_canvas(
    site: Served, opens: Opens, size: tuple[int, int]
) -> None:
    editor = opens(site.url, viewport={"width": size[0], "height": size[1]})
    editor.panel("Templates")
    editor.panel("History")
    assert not is_open(editor, "Templates")
    assert editor.canvas.bounding_box()["width"] >= size[0] * 0.55
    editor.panel("Nodes")
    assert not is_open(editor, "History")


def test_both_sides_are_open_in_a_wide_window_until_it_is_narrow(editor: Editor) -> None:
    editor.panel("Templates")
    editor.panel("History")
    assert is_open(editor, "Templates") and is_open(editor, "History")
    editor.page.set_viewport_size({"width": 1100, "height": 800})
    editor.until(lambda: not is_open(editor, "Templates"), "one panel alone")
    assert is_open(editor, "History")


def test_the_progress_of_a_run_pushes_no_button_out_of_a_tablet(site: Served, opens: Opens) -> None:
    editor = opens(site.url, viewport={"width": 768, "height": 1024})
    editor.open(workflow({"slow": {"type": "testing.Slow", "inputs": {"steps": 300, "salt": "tablet"}}}))
    editor.run()
    editor.page.get_by_role("progressbar", name="Progress of the run").wait_for()
    cancel = editor.button("Cancel")
    box = cancel.bounding_box()
    assert box["x"] + box["width"] <= 768
    cancel.click()


@pytest.fixture
def phone(site: Served, opens: Opens) -> Editor:
    return opens(site.url, viewport={"width": 390, "height": 844}, has_touch=True)


def inside(editor: Editor, found: Any) -> bool:
    box = found.bounding_box()
    return bool(box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844)


def test_a_phone_shows_every_button(phone: Editor) -> None:
    phone.open(workflow({"show": {"type": "testing.Slow"}}))
    phone.button(re.compile(r"^Run \(\d+\)$")).wait_for()
    names = ["File", "Undo", "Cancel", "Nodes", "Templates", "Settings", "Queue", "History", "Log"]
    for found in [phone.button(name) for name in names] + [phone.button(re.compile("^Run"))]:
        assert inside(phone, found), found
    assert not phone.page.evaluate(SPILT)
    assert phone.canvas.bounding_box()["width"] == 390


def test_a_panel_of_a_phone_lies_over_the_canvas_and_goes_when_a_template_opens(phone: Editor) -> None:
    panel = phone.panel("Templates")
    assert panel.bounding_box()["width"] == 390
    phone.button("Open Text to image").click()
    panel.wait_for(state="detached")
    sampler = phone.page.locator("[data-node]", has_text="KSampler").locator(".card-title")
    sampler.wait_for()  # near enough to be read
    assert inside(phone, sampler)


def test_a_panel_of_a_phone_stays_while_values_are_edited(phone: Editor) -> None:
    phone.open(workflow({"sum": {"type": "AddIntegers", "inputs": {"a": 0, "b": 0}}}))
    phone.field("sum", "a").fill("4")
    phone.press("Enter")
    phone.panel("Log")
    phone.button("Undo").click()
    assert is_open(phone, "Log")
