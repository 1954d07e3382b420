"""Widgets from the schema of a node alone."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from editing import Editor, template, workflow
from PIL import Image


@pytest.fixture
def widgets(editor: Editor) -> Editor:
    editor.open(workflow({"all": {"type": "testing.Widgets", "inputs": {}}}))
    editor.field("all", "count").wait_for()
    return editor


def value(editor: Editor, input: str, id: str = "all") -> Any:
    return editor.nodes()[id].get("inputs", {}).get(input)


def png(size: tuple[int, int] = (64, 48), colour: str = "teal") -> bytes:
    stream = BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def test_a_number_is_dragged_typed_and_kept_in_its_limits(widgets: Editor) -> None:
    x, y = widgets.place(widgets.field("all", "count"))
    widgets.drag((x, y), (x + 20, y))
    assert 4 < value(widgets, "count") <= 10
    widgets.field("all", "count").fill("999")
    widgets.press("Enter")
    assert value(widgets, "count") == 10
    widgets.field("all", "count").press("ArrowDown")
    assert value(widgets, "count") == 9


@pytest.mark.parametrize(
    ("input", "typed", "told"),
    [
        ("count", "999", "At most 10: 999 became 10"),
        ("count", "-3", "At least 0: -3 became 0"),
        ("count", "2.6", "Whole numbers only: 2.6 became 3"),
        ("share", "7", "At most 1: 7 became 1"),
        ("count", "many", "“many” is not a number"),
        ("seed", "-1", "A seed is a whole number from 0 to 18446744073709551615"),
    ],
)
def test_what_is_not_kept_as_it_was_typed_is_told(widgets: Editor, input: str, typed: str, told: str) -> None:
    widgets.field("all", input).fill(typed)
    widgets.press("Enter")
    note = widgets.card("all").get_by_text(told)
    note.wait_for()
    assert widgets.page.get_by_role("status").get_by_text(told).count() == 1
    widgets.field("all", input).fill("1")
    widgets.press("Enter")
    note.wait_for(state="detached")


def test_every_digit_of_a_seed_is_read(editor: Editor) -> None:
    seed = 998877665544332
    nodes: dict[str, Any] = {
        "short": {"type": "KSampler", "inputs": {"seed": seed}},
        "long": {"type": "RandomNoise", "inputs": {"noise_seed": seed}},
    }
    editor.open(workflow(nodes))
    fits = "(field) => field.scrollWidth <= field.clientWidth"
    for id, input in (("short", "seed"), ("long", "noise_seed")):
        field = editor.field(id, input)
        assert field.evaluate(fits)
        field.fill(str(2**64 - 1))
        assert field.evaluate(fits), "while it is typed"
        field.press("Enter")
        assert field.get_attribute("title") == str(2**64 - 1)


def test_a_slider(widgets: Editor) -> None:
    slider = widgets.card("all").get_by_role("slider").first
    slider.press("Home")
    assert value(widgets, "share") == 0
    slider.press("End")
    assert value(widgets, "share") == 1


def test_a_menu_is_searched(widgets: Editor) -> None:
    widgets.field("all", "kind").click()
    widgets.pick("odd")
    assert value(widgets, "kind") == "odd"


def test_texts_and_weights_of_prompts(widgets: Editor) -> None:
    widgets.field("all", "line").fill("a line")
    prompt = widgets.field("all", "prompt")
    prompt.fill("cat")
    prompt.press("Control+A")
    prompt.press("Control+ArrowUp")
    assert prompt.input_value() == "(cat:1.05)"
    prompt.press("Control+ArrowDown")
    prompt.press("Control+ArrowDown")
    assert "(cat:0.95)" in prompt.input_value()
    assert value(widgets, "line") == "a line"


def test_a_switch_and_a_colour(widgets: Editor) -> None:
    widgets.field("all", "tiled").click()
    assert value(widgets, "tiled") is True
    widgets.field("all", "tint").fill("#ff0000")
    assert value(widgets, "tint") == "#ff0000"


def test_seeds(widgets: Editor) -> None:
    widgets.button("New random seed").click()
    random = value(widgets, "seed")
    assert random != 7
    widgets.field("all", "seed").fill("18446744073709551615")
    widgets.press("Enter")
    assert value(widgets, "seed") == 18446744073709551615
    widgets.field("all", "seed").fill("41")
    widgets.press("Enter")
    widgets.card("all").get_by_label("After each run").select_option("increment")
    widgets.runs_to_the_end()
    assert value(widgets, "seed") == 42
    widgets.card("all").get_by_label("After each run").select_option("randomise")
    widgets.run()
    widgets.until(lambda: value(widgets, "seed") != 42, "another seed")


def test_a_curve(widgets: Editor) -> None:
    curve = widgets.card("all").get_by_role("group", name="shape")
    curve.wait_for()
    curve.dblclick()
    assert len(value(widgets, "shape")) == 3
    point = widgets.card("all").get_by_role("slider", name="Point 2")
    before = value(widgets, "shape")[1][1]
    point.press("ArrowUp")
    assert value(widgets, "shape")[1][1] > before
    point.press("Delete")
    assert len(value(widgets, "shape")) == 2


def test_a_curve_is_drawn_with_the_mouse(widgets: Editor) -> None:
    curve = widgets.card("all").get_by_role("group", name="shape")
    box = curve.bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    place = widgets.card("all").bounding_box()
    widgets.mouse.dblclick(*at(0.5, 0.5))
    widgets.drag(at(0.5, 0.5), at(0.25, 0.125))
    assert value(widgets, "shape")[1] == pytest.approx([0.25, 0.875], abs=0.02)
    assert widgets.card("all").bounding_box() == place  # the card stayed where it was
    point = widgets.card("all").get_by_role("slider", name="Point 2").bounding_box()
    assert abs(point["width"] - point["height"]) <= 1


def test_a_colour_is_picked_and_typed(widgets: Editor) -> None:
    picker = widgets.card("all").locator("input[type=color]")
    assert picker.input_value() == "#336699"
    picker.fill("#00ff80")
    assert value(widgets, "tint") == "#00ff80"
    assert widgets.field("all", "tint").input_value() == "#00ff80"
    widgets.field("all", "tint").fill("#abcdef")
    assert picker.input_value() == "#abcdef"


def test_a_widget_becomes_a_socket_and_a_widget_again(widgets: Editor) -> None:
    widgets.menu("all", "Socket for count")
    widgets.field("all", "count").wait_for(state="detached")
    widgets.socket("all", "count").wait_for()
    widgets.menu("all", "Widget for count")
    widgets.field("all", "count").wait_for()


@pytest.fixture
def picture(editor: Editor) -> Editor:
    editor.open(workflow({"load": {"type": "LoadImage", "inputs": {"image": ""}}}))
    editor.card("load").locator(".image-widget").wait_for()
    return editor


def test_a_picture_is_dropped(picture: Editor) -> None:
    picture.drop("dropped.png", png(), '[data-node="load"] .image-widget')
    shown = picture.card("load").locator(".image-widget img")
    shown.wait_for()
    assert picture.loaded(shown)
    assert value(picture, "image", "load").endswith("dropped.png")


def test_a_picture_is_uploaded_and_chosen(picture: Editor) -> None:
    with picture.page.expect_file_chooser() as chooser:
        picture.button("Upload a picture").click()
    chooser.value.set_files({"name": "mine.png", "mimeType": "image/png", "buffer": png()})
    picture.card("load").locator(".image-widget img").wait_for()
    assert value(picture, "image", "load") == "mine.png"


def test_a_picture_is_pasted(picture: Editor) -> None:
    picture.page.evaluate(
        """async (bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], "pasted.png", {type: "image/png"}));
            const target = document.querySelector(".image-widget button");
            target.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, clipboardData: transfer}));
        }""",
        list(png()),
    )
    picture.card("load").locator(".image-widget img").wait_for()
    assert "pasted" in value(picture, "image", "load")


def paste_picture(editor: Editor, name: str = "image.png") -> None:
    """Paste a picture where the focus is."""
    editor.page.evaluate(
        """([bytes, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], name, {type: "image/png"}));
            const event = new ClipboardEvent("paste", {bubbles: true, clipboardData: transfer});
            document.activeElement.dispatchEvent(event);
        }""",
        [list(png()), name],
    )


def test_a_picture_pasted_onto_the_canvas_is_loaded_by_a_new_node(editor: Editor) -> None:
    editor.open(workflow({"number": {"type": "Integer"}}))
    editor.canvas.focus()
    paste_picture(editor, "shot.png")
    shown = editor.page.locator(".image-widget img")
    shown.wait_for()
    assert editor.loaded(shown)
    id = editor.of_type("LoadImage")
    assert value(editor, "image", id) == "shot.png"
    editor.press("Control+Z")
    editor.card(id).wait_for(state="detached")


def test_a_picture_dropped_onto_the_canvas_is_loaded_by_a_new_node(editor: Editor) -> None:
    editor.open(workflow({"number": {"type": "Integer"}}))
    editor.drop("photo.png", png())
    editor.page.locator(".image-widget img").wait_for(state="attached")
    assert editor.nodes()[editor.of_type("LoadImage")]["inputs"] == {"image": "photo.png"}
    assert editor.page.locator(".tab").count() == 1  # beside what was there


def test_a_mask_is_painted(picture: Editor) -> None:
    picture.drop("tomask.png", png(), '[data-node="load"] .image-widget')
    picture.card("load").locator(".image-widget img").wait_for()
    picture.button("Paint the mask").click()
    dialog = picture.page.get_by_role("dialog", name="Paint the mask")
    x, y = picture.place(dialog.get_by_role("img", name="Mask of"))
    picture.drag((x - 20, y), (x + 20, y))
    dialog.get_by_role("button", name="Keep").click()
    picture.until(lambda: "masked" in value(picture, "image", "load"), "the masked picture")
    name = value(picture, "image", "load")
    response = picture.page.request.get(
        picture.card("load").locator(".image-widget img").evaluate("i => i.src")
    )
    with Image.open(BytesIO(response.body())) as kept:
        low, high = kept.getchannel("A").getextrema()
    assert (low, high) == (0, 255), name


def test_a_file_is_chosen_by_name(editor: Editor) -> None:
    editor.open(workflow({"loader": {"type": "CheckpointLoaderSimple", "inputs": {}}}))
    editor.field("loader", "ckpt_name").click()
    picture = editor.option("emoji-sd").first.locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 128
    editor.option("emoji-sd").first.click()
    assert value(editor, "ckpt_name", "loader") == "emoji-sd"


CUT = """
() => [...document.querySelectorAll(".card")].flatMap((card) =>
    [...card.querySelectorAll("label, .socket-name, .card-title, .picker, input:not([type=checkbox])")]
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => {
            const text = element.tagName === "INPUT" ? element.value : element.textContent;
            const told = element.closest("[title]")?.title ?? "";
            return { text, of: element.tagName.toLowerCase(), told: told.includes(text.trim()) };
        }))
"""
"""Texts of cards that are not seen whole, and whether a tooltip tells them."""


@pytest.mark.parametrize("name", ["text_to_image", "custom_sampling", "denoise_by_hand", "two_stages"])
def test_names_are_read_whole_and_what_is_cut_is_in_a_tooltip(editor: Editor, name: str) -> None:
    editor.open(template(name))
    editor.page.locator(".card label").first.wait_for()
    cut = editor.page.evaluate(CUT)
    labels = [found["text"] for found in cut if found["of"] == "label"]
    assert [label for label in labels if len(label) <= 20] == []
    assert [found for found in cut if not found["told"]] == []


def test_a_long_seed_and_a_long_choice_are_read_beside_their_names(editor: Editor) -> None:
    long = "a very long name of a checkpoint, with its version and what it was merged from.safetensors"
    nodes = {
        "noise": {"type": "RandomNoise", "inputs": {"noise_seed": 123456789012345}},
        "load": {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": long}},
        "save": {"type": "SaveImage", "inputs": {"filename_prefix": "a/folder/with/a/long/name"}},
        "title": {
            "type": "Integer",
            "ui": {"title": "What the person called it, in many words", "position": [0, 400]},
        },
    }
    editor.open(workflow(nodes))
    cut = editor.page.evaluate(CUT)
    assert {found["text"] for found in cut} == {
        long,
        "a/folder/with/a/long/name",
        "What the person called it, in many words",
    }
    assert all(found["told"] for found in cut)
