"""What a person meets first: an empty canvas, templates, a file dropped, panels opened beside it."""

from __future__ import annotations

import io
import itertools
import json
import re
from typing import Any

import pytest
from editing import Editor, template, workflow
from PIL import Image
from served import Served

Box = dict[str, float]
HINT = "Double-click or press Tab to add a node"
ROOM = 20
"""Pixels of the canvas between cards that were placed by themselves."""


def box_of(found: Any) -> Box:
    box: Box = found.bounding_box()
    return box


def inside(box: Box, outer: Box) -> bool:
    return (
        box["x"] >= outer["x"]
        and box["y"] >= outer["y"]
        and box["x"] + box["width"] <= outer["x"] + outer["width"]
        and box["y"] + box["height"] <= outer["y"] + outer["height"]
    )


BOXES = "(cards) => cards.map((card) => card.getBoundingClientRect().toJSON())"
"""All at one moment: a card that comes near is another element."""


def all_in_view(editor: Editor, count: int) -> bool:
    """Whether so many cards are there, and the whole of each."""
    canvas = box_of(editor.canvas)
    boxes = editor.page.locator(".card").evaluate_all(BOXES)
    return len(boxes) == count and all(inside(box, canvas) for box in boxes)


def test_an_empty_canvas_says_how_to_begin(editor: Editor) -> None:
    editor.page.get_by_text(HINT).wait_for()
    editor.button("Start from a template").click()
    panel = editor.page.get_by_role("region", name="Templates", exact=True)
    panel.get_by_role("button", name="Open Text to image", exact=True).click()
    editor.card("sampler").wait_for()
    assert editor.page.get_by_text(HINT).count() == 0


def test_templates_that_run_come_first_and_are_searched(editor: Editor) -> None:
    panel = editor.panel("Templates")
    listed = panel.get_by_role("button", name=re.compile("^Open "))
    listed.first.wait_for()
    titles = [entry.get_attribute("aria-label") for entry in listed.all()]
    assert titles[:2] == ["Open Text to image", "Open Image to image"]
    lacking = panel.get_by_text("These need model files that are not here")
    needs_weights = panel.get_by_role("button", name="Open ControlNet")
    assert box_of(lacking)["y"] < box_of(needs_weights)["y"]
    assert "models/controlnet" in needs_weights.inner_text()
    panel.get_by_role("searchbox").fill("controlnet")
    editor.until(lambda: listed.count() < len(titles), "fewer of them")
    assert needs_weights.count() == 1
    panel.get_by_role("searchbox").fill("nothing of that kind")
    panel.get_by_text("Nothing found.").wait_for()


def test_no_template_says_where_the_server_keeps_its_files(site: Served) -> None:
    told = site.ask("GET", "/api/v1/templates").body.decode()
    assert "…/models/" in told
    assert str(site.folder) not in told


@pytest.mark.parametrize("name", ["denoise_by_hand", "regional_prompts"])
def test_a_template_is_seen_whole_while_panels_open_and_close(editor: Editor, name: str) -> None:
    editor.panel("Templates").get_by_role("button", name=f"Open {template(name)['name']}").click()
    count = len(template(name)["nodes"])
    editor.until(lambda: all_in_view(editor, count), "all of it", 5)
    editor.panel("History")
    editor.until(lambda: all_in_view(editor, count), "all of it beside two panels", 5)
    editor.page.get_by_role("region", name="History").get_by_role("button", name="Close").click()
    editor.until(lambda: all_in_view(editor, count), "all of it beside one", 5)


def test_a_view_that_was_moved_stays_while_panels_open(editor: Editor) -> None:
    editor.open(template())
    editor.press("+", "+")
    editor.still()
    before = editor.page.locator(".react-flow__viewport").get_attribute("style")
    editor.panel("Nodes").locator("summary").first.wait_for()
    editor.page.wait_for_timeout(300)
    assert editor.page.locator(".react-flow__viewport").get_attribute("style") == before


def test_the_map_shows_all_sides_of_what_is_seen(editor: Editor) -> None:
    editor.open(template())
    editor.press("-", "-", "-")
    editor.still()
    seen, minimap = editor.page.locator(".minimap-view"), editor.page.locator(".minimap")
    assert inside(box_of(seen), box_of(minimap))


def test_only_a_template_that_was_changed_is_unsaved(editor: Editor) -> None:
    mark = editor.page.locator(".tab.active").get_by_title("not saved")
    assert mark.count() == 0
    editor.panel("Templates").get_by_role("button", name="Open Text to image", exact=True).click()
    editor.card("positive").wait_for()
    assert mark.count() == 0
    editor.field("positive", "text").fill("a pear")
    mark.wait_for()
    editor.canvas.focus()
    editor.press("Control+Z")
    mark.wait_for(state="detached")


def test_cards_without_places_are_put_apart_also_once_they_ran(editor: Editor) -> None:
    document = template()
    for entry in document["nodes"].values():
        del entry["ui"]
    editor.drop("made.json", json.dumps(document).encode())
    editor.card("save").wait_for()
    editor.runs_to_the_end()
    editor.picture("save").wait_for()
    scale = editor.page.evaluate(
        "new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"
    )
    for one, other in itertools.combinations([box_of(card) for card in editor.cards().all()], 2):
        across = max(one["x"], other["x"]) - min(one["x"] + one["width"], other["x"] + other["width"])
        down = max(one["y"], other["y"]) - min(one["y"] + one["height"], other["y"] + other["height"])
        assert max(across, down) >= ROOM * scale - 1


def test_what_is_cached_is_said_in_words(editor: Editor) -> None:
    image = {"type": "EmptyImage", "inputs": {"width": 24, "height": 40}}
    show = {"type": "PreviewImage", "links": {"images": ["image", "image"]}}
    editor.open(workflow({"image": image, "show": show}))
    editor.runs_to_the_end()
    editor.button("Run (0)").wait_for()
    editor.page.get_by_text("everything is cached").wait_for()


def test_a_subgraph_of_everything_says_that_nothing_is_shown_outside(editor: Editor) -> None:
    editor.open(template())
    editor.press("Control+A", "Control+Shift+E")
    editor.page.get_by_text("It has no inputs or outputs yet.").wait_for()


def test_issues_that_a_card_has_no_room_for_are_counted(editor: Editor) -> None:
    wrong = {"type": "EmptyImage", "inputs": {"width": "a", "height": "b", "batch_size": "c", "color": "d"}}
    editor.open(workflow({"image": wrong}))
    listed = editor.page.get_by_role("button", name=re.compile(r"^Issues: \d+"))
    listed.click()
    count = int(listed.inner_text().split()[-1])
    entries = editor.page.get_by_role("region", name="Issues").get_by_role("listitem")
    assert entries.count() == count > 3
    of_the_card = entries.filter(has=editor.page.get_by_text("Empty Image", exact=True)).count()
    shown = editor.card("image").locator(".card-status .problem").count()
    editor.card("image").get_by_text(f"{of_the_card - shown} more in the list").wait_for()


def test_a_picture_that_comes_before_the_catalogue_waits_for_it(editor: Editor) -> None:
    held: list[Any] = []
    editor.page.route("**/api/v1/nodes", lambda route: held.append(route))  # noqa: PLW0108
    editor.page.reload()
    editor.ready()
    editor.until(lambda: bool(held), "the question for the catalogue")
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "PNG")
    editor.drop("early.png", stream.getvalue())
    editor.page.wait_for_timeout(500)
    assert editor.page.get_by_text("There is no node here that loads pictures").count() == 0
    held[0].continue_()
    editor.page.locator(".image-widget img").wait_for()


def test_what_was_closed_with_changes_comes_back(editor: Editor) -> None:
    editor.open(template())
    editor.card("sampler").wait_for()
    editor.add("Empty Image")
    document = editor.document()
    editor.page.get_by_role("button", name="Close Text to image").click()
    editor.said(re.compile("Text to image is closed, with changes that were not saved"))
    editor.file("Reopen closed tab")
    editor.card("sampler").wait_for()
    assert editor.document() == document
