"""Loops: their bodies are opened, made and chosen; what happens inside is seen there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, template, workflow

NODES = {
    "start": {"type": "Integer", "inputs": {"value": 1}},
    "loop": {"type": "Repeat", "inputs": {"body": "more", "times": 3}, "links": {"value": ["start", "int"]}},
    "show": {"type": "testing.Slow", "inputs": {"pause": 0.0}, "links": {"steps": ["loop", "value"]}},
}
BODIES = {
    "more": {
        "inputs": {"value": [["add", "a"]]},
        "outputs": {"value": ["add", "sum"]},
        "nodes": {
            "add": {"type": "AddIntegers", "inputs": {"b": 2}, "ui": {"position": [40, 80]}},
            "tell": {
                "type": "testing.Slow",
                "inputs": {"pause": 0.0},
                "links": {"steps": ["add", "sum"]},
                "ui": {"position": [360, 80]},
            },
        },
    },
    "other": {
        "inputs": {"value": [["twice", "a"]]},
        "outputs": {"value": ["twice", "product"]},
        "nodes": {"twice": {"type": "MultiplyIntegers", "inputs": {"b": 2}, "ui": {"position": [40, 80]}}},
    },
}


COLOUR = "(socket) => getComputedStyle(socket).color"


@pytest.fixture
def loop(editor: Editor) -> Editor:
    editor.open(workflow(NODES, subgraphs=BODIES))
    editor.card("loop").wait_for()
    return editor


def trail(editor: Editor) -> Any:
    return editor.page.get_by_role("navigation", name="Where you are").get_by_role("button")


def double_click(editor: Editor) -> None:
    editor.card("loop").locator(".socket-name").first.dblclick()


def shift_enter(editor: Editor) -> None:
    editor.select("loop")
    editor.press("Shift+Enter")


WAYS = {
    "double click": double_click,
    "menu": lambda editor: editor.menu("loop", "Open more"),
    "key": shift_enter,
    "button": lambda editor: editor.button("Open Repeat: more").click(),
}


def test_a_body_says_what_it_takes_and_gives(loop: Editor) -> None:
    loop.button("Open Repeat: more").click()
    loop.card("add").get_by_text("← value").wait_for()
    loop.card("add").get_by_text("value ←").wait_for()


@pytest.mark.parametrize("way", WAYS)
def test_a_body_opens_and_the_trail_leads_back(loop: Editor, way: str) -> None:
    WAYS[way](loop)
    loop.card("add").wait_for()
    assert trail(loop).all_inner_texts() == ["Test", "more"]
    trail(loop).first.click()
    loop.card("loop").wait_for()


def test_the_body_is_chosen_from_the_subgraphs(loop: Editor) -> None:
    loop.field("loop", "body").click()
    assert loop.option("").count() == 3
    loop.option("other").click()
    assert loop.nodes()["loop"]["inputs"]["body"] == "other"
    loop.button("Open Repeat: other").click()
    loop.card("twice").wait_for()


def test_a_body_may_not_hold_itself(loop: Editor) -> None:
    loop.button("Open Repeat: more").click()
    loop.card("add").wait_for()
    inner = loop.add("Repeat")
    loop.card(inner).get_by_text("Still to choose: body").wait_for()
    loop.field(inner, "body").click()
    loop.option("other").wait_for()
    assert loop.option("more").count() == 0


def test_a_new_body_gives_back_what_it_takes(loop: Editor) -> None:
    loop.field("loop", "body").click()
    loop.option("New body").click()
    loop.card("value").wait_for()
    assert trail(loop).all_inner_texts() == ["Test", "body"]
    subgraph = loop.document()["subgraphs"]["body"]
    assert subgraph["inputs"] == {"value": [["value", "value"]], "index": [["index", "value"]]}
    assert subgraph["outputs"] == {"result": ["result", "value"]}
    trail(loop).first.click()
    loop.runs_to_the_end()
    loop.card("show").get_by_text("1", exact=True).wait_for()
    loop.press("Control+Z")
    assert loop.nodes()["loop"]["inputs"]["body"] == "more"


def test_a_body_knows_the_type_of_what_its_loop_is_given(loop: Editor) -> None:
    """Where it begins is of that type, in words and colour, and its wires meet nothing else."""
    loop.field("loop", "body").click()
    loop.option("New body").click()
    loop.card("value").get_by_role("button", name="Input value, int").wait_for()
    begin = loop.card("value").get_by_role("button", name="Output value, int")
    number = loop.card("index").get_by_role("button", name="Output value, int")
    assert begin.evaluate(COLOUR) == number.evaluate(COLOUR)
    picture = loop.add("PreviewImage")
    loop.wire(("value", "value"), (picture, "images"))
    loop.said(re.compile("int.*Image"))
    assert "links" not in loop.document()["subgraphs"]["body"]["nodes"][picture]


def test_a_loop_takes_what_its_body_is_wired_to(editor: Editor) -> None:
    nodes = {
        "begin": {"type": "Identity", "ui": {"position": [0, 0]}},
        "twice": {
            "type": "MultiplyIntegers",
            "links": {"a": ["begin", "value"]},
            "ui": {"position": [320, 0]},
        },
    }
    body = {"inputs": {"x": [["begin", "value"]]}, "outputs": {"y": ["twice", "product"]}, "nodes": nodes}
    uses = {
        "each": {"type": "ForEach", "inputs": {"body": "twice"}},
        "once": {"type": "subgraph/twice"},
        "image": {"type": "EmptyImage"},
    }
    editor.open(workflow(uses, subgraphs={"twice": body}))
    editor.card("each").get_by_role("button", name="Input items, list[int]").wait_for()
    editor.card("each").get_by_role("button", name="Output results, list[int]").wait_for()
    editor.card("once").get_by_role("button", name="Input x, int").wait_for()
    editor.wire(("image", "image"), ("once", "x"))
    editor.said(re.compile("Image.*int"))
    assert "links" not in editor.nodes()["once"]


def test_what_is_wrong_in_a_body_is_counted_on_the_loop_and_leads_inside(editor: Editor) -> None:
    wrong = {**BODIES["more"]["nodes"]["add"], "inputs": {"b": "x"}}  # type: ignore[index]
    broken = {**BODIES, "more": {**BODIES["more"], "nodes": {"add": wrong}}}
    editor.open(workflow(NODES, subgraphs=broken))
    card = editor.card("loop")
    card.get_by_text("Issues inside: 1").wait_for()
    card.get_by_role("button", name="b is 'x', but int is expected").click()
    editor.card("add").get_by_text("b is 'x', but int is expected").wait_for()
    assert trail(editor).count() == 2


def test_what_the_last_iteration_did_is_seen_in_the_body(loop: Editor) -> None:
    loop.runs_to_the_end()
    loop.button("Open Repeat: more").click()
    told = loop.card("tell")
    told.get_by_text("iteration 3 of 3").wait_for()
    told.get_by_text("7", exact=True).wait_for()  # 1 + 3 * 2


def test_a_running_loop_tells_how_far_it_is(loop: Editor) -> None:
    loop.button("Open Repeat: more").click()
    loop.field("tell", "pause").fill("0.3")
    loop.field("tell", "pause").press("Enter")
    trail(loop).first.click()
    loop.run()
    loop.card("loop").get_by_text(re.compile(r"^[123]/3")).wait_for()
    loop.done()


def test_nodes_are_repeated(editor: Editor) -> None:
    nodes = {
        "start": {"type": "Integer", "inputs": {"value": 1}},
        "by": {"type": "Integer", "inputs": {"value": 5}},
        "add": {"type": "AddIntegers", "links": {"a": ["start", "int"], "b": ["by", "int"]}},
        "show": {"type": "testing.Slow", "inputs": {"pause": 0.0}, "links": {"steps": ["add", "sum"]}},
    }
    editor.open(workflow(nodes))
    editor.menu("add", "Repeat these nodes")
    editor.card("add").wait_for(state="detached")
    document = editor.document()
    (id,) = [id for id, node in document["nodes"].items() if node["type"] == "Repeat"]
    assert set(document["nodes"]) == {"start", id, "show"}  # what nothing else needs went along
    assert set(document["subgraphs"]["body"]["nodes"]) == {"by", "add"}
    editor.runs_to_the_end()
    editor.card("show").get_by_text("11", exact=True).wait_for()  # 1 + 2 * 5


def test_the_menu_says_why_nodes_cannot_be_repeated(editor: Editor) -> None:
    """A loop of the engine carries one value: where two leave the nodes, the entry says so."""
    nodes = {
        "one": {"type": "AddIntegers"},
        "other": {"type": "AddIntegers", "links": {"a": ["one", "sum"]}},
        "shows": {"type": "testing.Slow", "links": {"steps": ["one", "sum"]}},
        "also": {"type": "testing.Slow", "links": {"steps": ["other", "sum"]}},
    }
    editor.open(workflow(nodes))
    editor.select("one", "other")
    editor.title("other").click(button="right")
    for words in ("Repeat these nodes", "Run these nodes for each item of a list"):
        entry = editor.page.get_by_role("menuitem", name=words)
        assert "several are used outside: one.sum, other.sum" in entry.inner_text()
        assert entry.get_attribute("aria-disabled") == "true"
        entry.click(force=True)
    editor.press("Escape")
    assert set(editor.nodes()) == set(nodes)


def test_nodes_run_for_each_item(editor: Editor) -> None:
    """Several inputs; the one thing that is wired in is a list of one."""
    nodes = {
        "start": {"type": "Integer", "inputs": {"value": 4}},
        "by": {"type": "Integer", "inputs": {"value": 5}},
        "add": {"type": "AddIntegers", "links": {"a": ["start", "int"], "b": ["by", "int"]}},
        "show": {"type": "testing.Slow", "inputs": {"pause": 0.0}, "links": {"steps": ["add", "sum"]}},
    }
    editor.open(workflow(nodes))
    editor.select("add")
    editor.menu("add", "Run these nodes for each item of a list")
    editor.card("add").wait_for(state="detached")
    document = editor.document()
    (loop,) = [node for node in document["nodes"].values() if node["type"] == "ForEach"]
    assert loop["links"] == {"items": [["start", "int"]]}
    assert set(document["subgraphs"]["body"]["nodes"]) == {"by", "add"}
    editor.runs_to_the_end()


def test_copies_of_a_loop_bring_its_body(loop: Editor) -> None:
    loop.select("loop")
    loop.press("Control+C")
    loop.said("1 copied")
    loop.button("New workflow").click()
    loop.card("loop").wait_for(state="detached")
    loop.canvas.focus()
    loop.press("Control+V")
    loop.card("loop").wait_for()
    assert list(loop.document()["subgraphs"]) == ["more"]


def test_the_template_with_a_loop_opens_its_body(editor: Editor) -> None:
    editor.open(template("refine_loop"))
    editor.button("Open Repeat: refine").click()
    editor.card("refine").wait_for()
    boxes = [editor.card(id).bounding_box() for id in ("model", "positive", "negative", "refine")]
    lefts = [box["x"] for box in boxes]
    assert lefts[0] < lefts[1] == lefts[2] < lefts[3]
