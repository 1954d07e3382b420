"""The canvas under fingers: moved, zoomed, cards dragged, sockets wired by two taps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from editing import Editor, Opens, workflow
from served import Served

Point = tuple[float, float]
NUMBERS = {
    "one": {"type": "Integer", "inputs": {"value": 1}},
    "sum": {
        "type": "AddIntegers",
        "inputs": {"a": 0, "b": 0},
        "ui": {"position": [400, 80], "sockets": ["a"]},
    },
}


class Fingers:
    """Several of them, as Chromium reports them to a page."""

    def __init__(self, page: Any) -> None:
        self.page, self.session = page, page.context.new_cdp_session(page)

    def send(self, type: str, points: Sequence[Point] = ()) -> None:
        touches = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": type, "touchPoints": touches})
        self.page.wait_for_timeout(16)

    def drag(self, *ways: tuple[Point, Point]) -> None:
        """Each finger from one place to another, all at once."""
        self.send("touchStart", [start for start, _ in ways])
        for step in range(1, 9):
            share = step / 8
            self.send("touchMove", [(x + (a - x) * share, y + (b - y) * share) for (x, y), (a, b) in ways])
        self.send("touchEnd")


@pytest.fixture
def touched(site: Served, opens: Opens) -> Editor:
    editor = opens(site.url, has_touch=True)
    editor.open(workflow(NUMBERS))
    return editor


def view(editor: Editor) -> tuple[float, float, float]:
    editor.still()
    style = editor.page.locator(".react-flow__viewport").get_attribute("style")
    found = re.search(r"translate\((.*?)px, (.*?)px\) scale\((.*?)\)", style)
    assert found is not None
    x, y, zoom = map(float, found.groups())
    return x, y, zoom


def test_a_finger_moves_the_view(touched: Editor) -> None:
    x, y, zoom = view(touched)
    left, top = touched.empty_place()
    Fingers(touched.page).drag(((left, top), (left + 80, top - 60)))
    after = view(touched)
    assert after[2] == zoom
    assert after[0] - x > 40 and y - after[1] > 30


def test_two_fingers_zoom(touched: Editor) -> None:
    zoom = view(touched)[2]
    x, y = touched.empty_place(0.5, 0.8)
    Fingers(touched.page).drag(((x - 40, y), (x - 10, y)), ((x + 40, y), (x + 10, y)))
    assert view(touched)[2] < zoom * 0.7


def test_a_card_is_dragged(touched: Editor) -> None:
    before = view(touched)
    x, y = touched.place(touched.title("one"))
    Fingers(touched.page).drag(((x, y), (x, y + 160)))
    assert view(touched) == before
    at = touched.nodes()["one"]["ui"]["position"]
    assert at[0] == 40 and at[1] > 80


def test_two_taps_draw_a_wire(touched: Editor) -> None:
    for socket in (touched.socket("one", "int", "output"), touched.socket("sum", "a")):
        touched.page.touchscreen.tap(*touched.place(socket))
    touched.until(lambda: touched.nodes()["sum"].get("links") == {"a": ["one", "int"]}, "the wire")
