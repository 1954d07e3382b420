"""A server that stumbles, and things that answer in its place."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, workflow

AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""
PORTAL = "<html><head><title>Hotel Wi-Fi</title></head><body>Sign in</body></html>"
ODD = {
    "a page": ({"content_type": "text/html", "body": PORTAL}, "a page, “Hotel Wi-Fi”"),
    "cut JSON": ({"content_type": "application/json", "body": '{"jobs":[{"i'}, "damaged or cut off"),
    "null": ({"content_type": "application/json", "body": "null"}, "something else: “null”"),
}


def slow(salt: str) -> dict[str, object]:
    return workflow({"slow": {"type": "testing.Slow", "inputs": {"steps": 3, "salt": salt}}})


def test_runs_go_on_after_the_server_stumbled_as_the_page_was_loaded(editor: Editor) -> None:
    editor.open(slow("stumbles"))
    editor.runs_to_the_end()
    editor.page.wait_for_timeout(AUTOSAVED)
    jobs = re.compile(r"/api/v1/jobs/[^/]+$")
    editor.page.route(jobs, lambda route: route.fulfill(status=500, body="x"))
    editor.page.reload()
    editor.ready()
    editor.field("slow", "salt").wait_for()
    editor.page.unroute(jobs)
    editor.field("slow", "salt").fill("well again")
    editor.canvas.focus()
    editor.runs_to_the_end()
    editor.card("slow").locator("output", has_text="3").wait_for()


@pytest.mark.parametrize("case", ODD)
def test_what_came_in_place_of_the_api_is_told_and_tried_again(editor: Editor, case: str) -> None:
    answer, told = ODD[case]
    editor.open(slow(case))
    api = re.compile("/api/v1/")
    odd: Any = lambda route: route.fulfill(status=200, **answer)  # noqa: E731
    editor.page.route(api, odd)
    editor.run()
    editor.said(re.compile(re.escape(told)))
    panel = editor.panel("Models")
    panel.get_by_role("alert").get_by_text(told).wait_for()
    editor.file("Save as…")
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_role("alert").get_by_text(told).wait_for()
    editor.press("Escape")
    editor.page.unroute(api, odd)
    panel.get_by_role("button", name="Try again").click()
    panel.get_by_role("alert").wait_for(state="detached")
    editor.runs_to_the_end()


NO_NAMES = {
    "   ": "Type a name",
    "../evil": "“..” in “../evil” is no folder",
    "CON": "'CON' cannot be the name of a file: Windows",
}


def test_a_name_that_is_none_is_told_in_the_dialog(editor: Editor) -> None:
    editor.open(slow("names"))
    editor.file("Save as…")
    dialog = editor.page.get_by_role("dialog")
    for name, told in NO_NAMES.items():
        dialog.get_by_role("textbox").fill(name)
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_role("alert").get_by_text(told).wait_for()
    dialog.get_by_role("textbox").fill("names that are good")
    dialog.get_by_role("alert").wait_for(state="detached")
    dialog.get_by_role("button", name="Save").click()
    editor.said("names that are good saved")
    editor.page.request.delete(f"{editor.page.url}api/v1/workflows/names that are good")
