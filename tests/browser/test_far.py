"""A large workflow seen from afar: painted, not mounted, and still worked with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from editing import Editor, workflow

ACROSS = 16
STEP = (320, 260)
SIZE_OF_CARD = (240, 80)
PLACE = """
([x, y]) => {
    const view = new DOMMatrix(getComputedStyle(document.querySelector(".react-flow__viewport")).transform);
    const { left, top } = document.querySelector(".react-flow").getBoundingClientRect();
    const { x: across, y: down } = view.transformPoint(new DOMPoint(x, y));
    return [left + across, top + down];
}
"""
COLUMN = """
([left, top, bottom]) => {
    const canvas = document.querySelector(".far-layer");
    const box = canvas.getBoundingClientRect();
    const pixels = canvas.getContext("2d").getImageData(left - box.left, top - box.top, 1, bottom - top).data;
    const colour = (_, row) => pixels.slice(row * 4, row * 4 + 3).join();
    return [...new Set(Array.from({ length: bottom - top }, colour))];
}
"""


def large(first: dict[str, Any]) -> dict[str, Any]:
    """More nodes than are mounted from afar; the first is the one that is looked at."""
    numbers = {f"n{index}": {"type": "Integer", "inputs": {"value": index}} for index in range(170)}
    nodes = {
        id: {**entry, "ui": {"position": [index % ACROSS * STEP[0], index // ACROSS * STEP[1]]}}
        for index, (id, entry) in enumerate({"first": first, **numbers}.items())
    }
    return workflow(nodes)


def far(editor: Editor, first: dict[str, Any]) -> dict[str, Any]:
    document = large(first)
    editor.drop("large.json", json.dumps(document).encode())
    editor.until(lambda: editor.page.locator(".tab.active", has_text="Test").count() == 1, "the workflow")
    editor.fit()
    editor.page.locator(".far-layer").wait_for()
    assert editor.cards().count() == 0
    return document


def spot(editor: Editor, index: int, dx: float = 0.5, dy: float = 0.5) -> tuple[float, float]:
    """Where a card is on the screen; shares of its width and height."""
    x = index % ACROSS * STEP[0] + SIZE_OF_CARD[0] * dx
    y = index // ACROSS * STEP[1] + SIZE_OF_CARD[1] * dy
    left, top = editor.page.evaluate(PLACE, [x, y])
    return left, top


def colours(editor: Editor, share: float) -> set[str]:
    """Those of the first card from top to foot, at a share of its width."""
    (left, top), (_, bottom) = spot(editor, 0, share, 0), spot(editor, ACROSS, share, -0.2)
    found: list[str] = editor.page.evaluate(COLUMN, [round(left), round(top), round(bottom)])
    return set(found)


def test_a_run_is_painted(editor: Editor) -> None:
    far(editor, {"type": "testing.Slow", "inputs": {"steps": 20, "salt": "far"}})
    quiet = colours(editor, 0.05)
    editor.run()
    editor.until(lambda: colours(editor, 0.05) != quiet, "that it runs")
    running = colours(editor, 0.05)
    editor.done()
    editor.until(lambda: colours(editor, 0.05) not in (quiet, running), "that it ran")
    ran = colours(editor, 0.05)
    editor.run()
    editor.until(lambda: colours(editor, 0.05) not in (quiet, running, ran), "that it was cached")


def test_a_failure_is_painted(editor: Editor) -> None:
    far(editor, {"type": "testing.Fails"})
    quiet = colours(editor, 0.05)
    editor.run()
    editor.until(lambda: len(colours(editor, 0.05) - quiet) > 0, "that it failed")


def test_an_issue_is_painted(editor: Editor) -> None:
    far(editor, {"type": "KSampler"})
    side, corner = colours(editor, 0.5), 0.95
    editor.until(lambda: len(colours(editor, corner) - side) > 0, "the corner")


def test_a_card_is_clicked(editor: Editor) -> None:
    far(editor, {"type": "Integer"})
    plain = colours(editor, 0.01)
    editor.mouse.click(*spot(editor, 0))
    editor.until(lambda: colours(editor, 0.01) != plain, "the outline of what is selected")
    editor.press("Delete")
    assert "first" not in editor.nodes()


def test_cards_are_selected_by_a_box(editor: Editor) -> None:
    document = far(editor, {"type": "Integer"})
    editor.keyboard.down("Shift")
    editor.drag(spot(editor, 0, -0.1, -0.5), spot(editor, ACROSS + 1, 1.1, 1.5))
    editor.keyboard.up("Shift")
    editor.press("Delete")
    gone = set(document["nodes"]) - set(editor.nodes())
    assert gone == {"first", "n0", f"n{ACROSS - 1}", f"n{ACROSS}"}


@pytest.mark.parametrize("selected", [False, True])
def test_cards_are_dragged(editor: Editor, selected: bool) -> None:
    document = far(editor, {"type": "Integer"})
    view = editor.page.locator(".react-flow__viewport").get_attribute("style")
    if selected:
        editor.press("Control+A")
    x, y = spot(editor, 0)
    editor.drag((x, y), (x + 40, y + 20))
    assert editor.page.locator(".react-flow__viewport").get_attribute("style") == view
    after = {id: node["ui"]["position"] for id, node in editor.nodes().items()}
    moved = {id for id, node in document["nodes"].items() if after[id] != node["ui"]["position"]}
    assert moved == (set(document["nodes"]) if selected else {"first"})
    assert after["first"][0] > 0 and after["first"][1] > 0
    assert all(value % 8 == 0 for value in after["first"])
    editor.press("Control+Z")
    editor.until(lambda: editor.nodes()["first"]["ui"]["position"] == [0, 0], "one step of undo")
