"""The canvas: moving about, wires, search, groups, reroutes, copies, subgraphs, undo."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, template, workflow

NUMBERS = {
    "one": {"type": "Integer", "inputs": {"value": 1}},
    "two": {"type": "Integer", "inputs": {"value": 2}},
    "sum": {"type": "AddIntegers", "links": {"a": ["one", "int"]}, "inputs": {"b": 0}},
    "text": {"type": "String", "inputs": {"value": "x"}},
}


@pytest.fixture
def numbers(editor: Editor) -> Editor:
    editor.open(workflow(NUMBERS))
    editor.card("sum").wait_for()
    return editor


def view_of(editor: Editor) -> str:
    editor.still()
    view: str = editor.page.locator(".react-flow__viewport").get_attribute("style")
    return view


def positions(editor: Editor) -> dict[str, list[float]]:
    return {id: node["ui"]["position"] for id, node in editor.nodes().items()}


def link(editor: Editor, id: str, input: str) -> Any:
    return editor.nodes()[id].get("links", {}).get(input)


def test_pan_and_zoom(numbers: Editor) -> None:
    before = view_of(numbers)
    numbers.drag(numbers.empty_place(), numbers.empty_place(0.6, 0.7))
    panned = view_of(numbers)
    assert panned != before
    numbers.mouse.wheel(0, 240)
    zoomed = view_of(numbers)
    assert re.search(r"scale\((.*?)\)", zoomed)[1] != re.search(r"scale\((.*?)\)", panned)[1]  # type: ignore[index]
    numbers.fit()
    assert view_of(numbers) != zoomed


def test_box_select(numbers: Editor) -> None:
    numbers.keyboard.down("Shift")
    numbers.drag(numbers.empty_place(0.01, 0.95), numbers.empty_place(0.99, 0.05))
    numbers.keyboard.up("Shift")
    assert numbers.page.locator(".react-flow__node.selected").count() == 4


def test_a_wire_highlights_what_it_may_meet_and_refuses_the_rest(numbers: Editor) -> None:
    start = numbers.place(numbers.socket("text", "str", "output"))
    wrong = numbers.socket("sum", "b")
    numbers.drag(start, numbers.place(wrong), release=False)
    assert "refused" in wrong.get_attribute("class")
    numbers.page.get_by_text("str does not fit into int").first.wait_for()
    numbers.mouse.up()
    assert link(numbers, "sum", "b") is None
    start = numbers.place(numbers.socket("two", "int", "output"))
    numbers.drag(start, numbers.place(numbers.socket("sum", "b")), release=False)
    assert "fits" in numbers.socket("sum", "b").get_attribute("class")
    numbers.mouse.up()
    assert link(numbers, "sum", "b") == ["two", "int"]


def test_sockets_are_coloured_by_type(numbers: Editor) -> None:
    colour = "socket => getComputedStyle(socket).color"
    of = {
        id: numbers.socket(id, name, "output").evaluate(colour)
        for id, name in (("one", "int"), ("two", "int"), ("text", "str"))
    }
    assert of["one"] == of["two"] != of["text"]


def test_a_wire_dropped_on_nothing_searches_what_fits(numbers: Editor) -> None:
    start = numbers.place(numbers.socket("text", "str", "output"))
    numbers.drag(start, numbers.empty_place(0.5, 0.9))
    numbers.page.get_by_role("dialog", name="Search nodes that fit here").wait_for()
    assert numbers.option("Concatenate").count() > 0
    assert numbers.option("Empty Latent").count() == 0
    numbers.pick("String Concatenate")
    numbers.until(lambda: len(numbers.ids()) == 5, "one more card")
    added = numbers.nodes()[numbers.of_type("StringConcatenate")]
    assert ["text", "str"] in list(added["links"].values())


def test_a_wire_dropped_on_nothing_offers_the_likeliest_first(editor: Editor) -> None:
    editor.open(workflow({"image": {"type": "EmptyImage"}}))
    editor.drag(editor.place(editor.socket("image", "image", "output")), editor.empty_place(0.5, 0.9))
    editor.option("Save Image").wait_for()
    offered = editor.option("").locator("span:first-child").all_inner_texts()
    assert offered[:2] == ["Save Image", "Preview Image"]
    assert offered.index("VAE Encode") < offered.index("Canny") < offered.index("Create List")


def test_a_wire_is_pulled_out(numbers: Editor) -> None:
    numbers.drag(numbers.place(numbers.socket("sum", "a")), numbers.empty_place(0.5, 0.9))
    assert link(numbers, "sum", "a") is None


def test_a_wire_is_pulled_into_another_input(numbers: Editor) -> None:
    before = numbers.document()
    start = numbers.place(numbers.socket("sum", "a"))
    numbers.drag(start, numbers.place(numbers.socket("sum", "b")), release=False)
    assert "fits" in numbers.socket("sum", "b").get_attribute("class")
    assert numbers.page.locator(".wire-pulled").count() == 1
    numbers.mouse.up()
    assert numbers.nodes()["sum"]["links"] == {"b": ["one", "int"]}
    numbers.press("Control+Z")  # one step
    assert numbers.document() == before
    numbers.drag(start, numbers.place(numbers.socket("two", "int", "output")))
    assert link(numbers, "sum", "a") == ["two", "int"]


def test_a_wire_is_held_by_its_end(numbers: Editor) -> None:
    end = numbers.page.locator(".react-flow__edgeupdater-target").bounding_box()
    at = (end["x"] + end["width"] / 2 - 6, end["y"] + end["height"] / 2)
    numbers.drag(at, numbers.place(numbers.socket("sum", "b")))
    assert numbers.nodes()["sum"]["links"] == {"b": ["one", "int"]}
    numbers.press("Control+Z")
    numbers.drag(at, numbers.empty_place(0.5, 0.9))
    assert link(numbers, "sum", "a") is None


@pytest.mark.parametrize("words", ["ksmp", "denoise latents", "sampling"])
def test_search_finds_names_docs_and_categories(editor: Editor, words: str) -> None:
    editor.canvas.focus()
    editor.press("Tab")
    editor.page.locator(".filter-list input").fill(words)
    editor.option("KSampler").first.wait_for()


@pytest.mark.parametrize("way", ["button", "key"])
def test_a_new_workflow_listens_to_the_keyboard(numbers: Editor, way: str) -> None:
    numbers.panel("Settings").get_by_role("checkbox").first.focus()
    if way == "button":
        numbers.button("New workflow").click()
    else:
        numbers.press("Alt+N")
    numbers.press("Tab")
    numbers.page.get_by_role("dialog", name="Search nodes").wait_for()


def test_a_double_click_opens_search(editor: Editor) -> None:
    id = editor.add("Integer")
    assert editor.nodes()[id]["type"] == "Integer"


def test_reroutes(numbers: Editor) -> None:
    start = numbers.place(numbers.socket("one", "int", "output"))
    end = numbers.place(numbers.socket("sum", "a"))
    numbers.mouse.click((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, button="right")
    # the wire runs behind the card between them: ask for its menu where it is seen
    if numbers.page.get_by_role("menuitem", name="Add reroute").count() == 0:
        numbers.press("Escape")
        numbers.mouse.click(start[0] + 20, start[1], button="right")
    numbers.page.get_by_role("menuitem", name="Add reroute").click()
    numbers.page.locator(".reroute").wait_for()
    assert link(numbers, "sum", "a") == ["one", "int"]
    numbers.page.locator(".reroute").click(button="right")
    numbers.page.get_by_role("menuitem", name="Remove").click()
    numbers.page.locator(".reroute").wait_for(state="detached")


def test_groups_move_what_is_in_them(numbers: Editor) -> None:
    numbers.select("one", "two")
    numbers.press("Control+G")
    frame = numbers.page.locator(".frame-title")
    frame.wait_for()
    before = positions(numbers)
    x, y = numbers.place(frame)
    numbers.drag((x, y), (x, y + 120))
    after = positions(numbers)
    assert after["one"][1] > before["one"][1] and after["two"][1] > before["two"][1]
    assert after["text"] == before["text"]


def test_a_group_is_seen(numbers: Editor) -> None:
    numbers.select("one", "two")
    numbers.press("Control+G")
    frame = numbers.page.locator(".frame-title")
    frame.wait_for()
    numbers.still()
    clip = frame.bounding_box()
    seen = numbers.page.screenshot(clip=clip)
    numbers.press("Control+Z")
    frame.wait_for(state="detached")
    assert numbers.page.screenshot(clip=clip) != seen


def test_collapse(numbers: Editor) -> None:
    numbers.card("sum").get_by_role("button", name=re.compile("^Collapse")).click()
    numbers.field("sum", "b").wait_for(state="detached")
    assert numbers.nodes()["sum"]["ui"]["collapsed"] is True
    numbers.card("sum").get_by_role("button", name=re.compile("^Expand")).click()
    numbers.field("sum", "b").wait_for()


@pytest.mark.parametrize(("key", "mode"), [("Control+M", "muted"), ("Control+B", "bypassed")])
def test_mute_and_bypass(numbers: Editor, key: str, mode: str) -> None:
    numbers.select("sum")
    numbers.press(key)
    numbers.card("sum").get_by_text(mode, exact=True).wait_for()
    assert numbers.nodes()["sum"]["mode"] == mode
    numbers.press(key)
    assert "mode" not in numbers.nodes()["sum"]


def test_colour(numbers: Editor) -> None:
    stripe = "card => getComputedStyle(card).borderTopColor"
    before = numbers.card("sum").evaluate(stripe)
    numbers.menu("sum", "Red")
    assert numbers.card("sum").evaluate(stripe) != before


def test_align(numbers: Editor) -> None:
    numbers.select("one", "two")
    numbers.menu("two", "Align left")
    at = positions(numbers)
    assert at["one"][0] == at["two"][0]


def test_distribute(numbers: Editor) -> None:
    numbers.select("one", "two", "text")
    numbers.menu("text", "Distribute across")
    at = positions(numbers)
    places = [at[id][0] for id in ("one", "two", "text")]
    assert places[0] == 40 and places[2] == 1000
    assert places[1] - places[0] == places[2] - places[1]


def test_auto_layout(numbers: Editor) -> None:
    before = positions(numbers)
    numbers.canvas.focus()
    numbers.press("Control+Shift+L")
    numbers.until(lambda: positions(numbers) != before, "another layout")
    at = positions(numbers)
    assert at["one"][0] < at["sum"][0]


def test_minimap_and_snap(numbers: Editor) -> None:
    numbers.page.get_by_role("img", name="Map of the workflow").wait_for()
    numbers.fit()
    x, y = numbers.place(numbers.title("one"))
    numbers.drag((x, y), (x + 53, y + 41))
    assert all(value % 8 == 0 for value in positions(numbers)["one"])
    panel = numbers.panel("Settings")
    panel.get_by_role("checkbox", name="Show the map").uncheck()
    numbers.page.get_by_role("img", name="Map of the workflow").wait_for(state="detached")


def test_there_is_no_map_of_nothing(editor: Editor) -> None:
    map_of = editor.page.get_by_role("img", name="Map of the workflow")
    assert map_of.count() == 0
    editor.add("Integer")
    map_of.wait_for()
    editor.press("Control+A", "Delete")
    map_of.wait_for(state="detached")


def test_the_map_moves_the_view(numbers: Editor) -> None:
    before = view_of(numbers)
    x, y = numbers.place(numbers.page.get_by_role("img", name="Map of the workflow"))
    numbers.drag((x, y), (x - 40, y - 20))
    after = view_of(numbers)
    assert after != before
    assert after.split("scale")[1] == before.split("scale")[1]


def test_copies_keep_their_wires(numbers: Editor) -> None:
    numbers.select("one", "sum")
    numbers.press("Control+C")
    numbers.said("2 copied")
    numbers.press("Control+V")
    numbers.until(lambda: len(numbers.nodes()) == 6, "two more nodes")
    nodes = numbers.nodes()
    (copy,) = [id for id, node in nodes.items() if node["type"] == "AddIntegers" and id != "sum"]
    assert nodes[copy]["links"]["a"][0] not in ("one", "two")
    numbers.select("two")
    numbers.press("Control+D")
    numbers.until(lambda: len(numbers.nodes()) == 7, "a duplicate")


def test_a_node_is_swapped_and_keeps_its_links(numbers: Editor) -> None:
    numbers.menu("sum", "Replace…")
    numbers.pick("Multiply Integers")
    numbers.until(lambda: numbers.nodes()["sum"]["type"] == "MultiplyIntegers", "the other type")
    assert link(numbers, "sum", "a") == ["one", "int"]


def test_subgraphs(numbers: Editor) -> None:
    numbers.select("one", "sum")
    numbers.press("Control+Shift+E")
    numbers.card("sum").wait_for(state="detached")
    document = numbers.document()
    (name,) = document["subgraphs"]
    (made,) = [id for id, node in document["nodes"].items() if node["type"] == f"subgraph/{name}"]
    numbers.button(re.compile("^Open ")).first.click()
    numbers.card("sum").wait_for()
    numbers.page.get_by_role("navigation", name="Where you are").get_by_role("button").first.click()
    numbers.card(made).wait_for()
    numbers.canvas.focus()
    numbers.press("Tab")
    numbers.page.locator(".filter-list input").fill(name)  # as a node to use again
    numbers.option(name).first.wait_for()
    numbers.press("Escape")
    numbers.select(made)
    numbers.press("Control+Shift+U")
    numbers.until(lambda: len(numbers.nodes()) == 4, "what was in it")
    assert {node["type"] for node in numbers.nodes().values()} == {"Integer", "AddIntegers", "String"}


def test_undo_and_redo(numbers: Editor) -> None:
    before = numbers.document()
    numbers.select("one")
    numbers.press("Delete")
    numbers.card("one").wait_for(state="detached")
    numbers.press("Control+Z")
    numbers.card("one").wait_for()
    assert numbers.document() == before
    numbers.press("Control+Y")
    numbers.card("one").wait_for(state="detached")


def test_undo_loses_no_picture(editor: Editor) -> None:
    image = {"type": "EmptyImage", "inputs": {"width": 32, "height": 32}}
    nodes = {"image": image, "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}}}
    editor.open(workflow(nodes))
    editor.runs_to_the_end()
    editor.picture("show").wait_for()
    editor.select("show")
    editor.press("Delete")
    editor.card("show").wait_for(state="detached")
    editor.press("Control+Z")
    editor.picture("show").wait_for()


def test_the_whole_template_is_on_the_screen(editor: Editor) -> None:
    editor.open(template())
    assert editor.page.locator(".react-flow__node").count() == 7
    assert editor.page.locator(".react-flow__edge").count() == 9
