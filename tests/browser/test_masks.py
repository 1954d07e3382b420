"""Masks are painted over pictures: seen on any of them, undone, inverted, and kept without loss."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from editing import Editor, workflow
from PIL import Image, ImageStat

RED = (230, 40, 60)


@pytest.fixture
def painter(editor: Editor) -> Any:
    """The painter over a red picture, which a node loads that is wired to nothing."""
    editor.open(workflow({"load": {"type": "LoadImage", "inputs": {"image": ""}}}))
    stream = BytesIO()
    Image.new("RGB", (64, 48), RED).save(stream, "PNG")
    editor.drop("red.png", stream.getvalue(), '[data-node="load"] .image-widget')
    editor.card("load").locator(".image-widget img").wait_for()
    editor.button("Paint the mask").click()
    dialog = editor.page.get_by_role("dialog", name="Paint the mask")
    dialog.get_by_role("button", name="Keep").and_(editor.page.locator(":enabled")).wait_for()
    return dialog


def stroke(editor: Editor, painter: Any, across: float = 0.25) -> None:
    """Draw over the middle, a share of its width to either side."""
    box = painter.get_by_role("img", name="Mask of").bounding_box()
    x, y = editor.place(painter.get_by_role("img", name="Mask of"))
    editor.drag((x - box["width"] * across, y), (x + box["width"] * across, y))


def share(painter: Any) -> float:
    """How much of the picture is masked."""
    masked: float = painter.get_by_role("img", name="Mask of").evaluate(
        """(view) => {
            const { data } = view.getContext("2d").getImageData(0, 0, view.width, view.height);
            const opacity = data.filter((_, at) => at % 4 === 3);
            return opacity.reduce((sum, value) => sum + value, 0) / 255 / opacity.length;
        }"""
    )
    return masked


def shown(painter: Any) -> Image.Image:
    """Picture and mask as they are seen, in grey, without the edge."""
    picture = Image.open(BytesIO(painter.locator(".mask-board").screenshot())).convert("L")
    return picture.crop((4, 4, picture.width - 4, picture.height - 4))


def kept(editor: Editor, painter: Any) -> Image.Image:
    """The picture that the node loads once the mask is kept."""
    loaded = editor.card("load").locator(".image-widget img")
    before = loaded.get_attribute("src")
    painter.get_by_role("button", name="Keep").click()
    editor.until(lambda: bool(loaded.get_attribute("src") != before), "the picture with its mask")
    answer = editor.page.request.get(loaded.evaluate("image => image.src"))
    picture = Image.open(BytesIO(answer.body()))
    picture.load()
    return picture


def test_a_mask_is_seen_on_a_picture_of_any_colour(editor: Editor, painter: Any) -> None:
    plain = shown(painter)
    stroke(editor, painter, 0.4)
    editor.mouse.move(2, 2)  # away with the brush
    striped = shown(painter)
    assert ImageStat.Stat(plain).stddev[0] < 2
    assert ImageStat.Stat(striped).stddev[0] > 20
    painter.get_by_label("Shown in").select_option("green")
    assert shown(painter).tobytes() != striped.tobytes()


def test_steps_are_undone_and_redone(editor: Editor, painter: Any) -> None:
    stroke(editor, painter)
    one = share(painter)
    assert one > 0.05
    painter.get_by_role("button", name="Invert").click()
    assert share(painter) == pytest.approx(1 - one, abs=0.02)
    painter.get_by_role("button", name="Clear").click()
    assert share(painter) == 0
    editor.press("Control+Z")
    painter.get_by_role("status").get_by_text("Undone: Clear").wait_for()
    assert share(painter) == pytest.approx(1 - one, abs=0.02)
    editor.press("Control+Z", "Control+Z")
    assert share(painter) == 0
    assert painter.get_by_role("button", name="Undo").is_disabled()
    editor.press("Control+Y")
    assert share(painter) == pytest.approx(one, abs=0.001)


def test_the_brush_grows_erases_and_is_seen(editor: Editor, painter: Any) -> None:
    slider = painter.get_by_role("slider", name="Brush size")
    before = int(slider.input_value())
    stroke(editor, painter, 0.3)
    brush = painter.locator(".brush")
    width = brush.bounding_box()["width"]
    editor.press("]", "]")
    painter.get_by_role("status").get_by_text(f"{slider.input_value()} px").wait_for()
    assert int(slider.input_value()) > before
    assert brush.bounding_box()["width"] > width
    assert slider.get_attribute("aria-valuetext") == f"{slider.input_value()} px"
    whole = share(painter)
    editor.press("e")
    assert painter.get_by_role("button", name="Erase").get_attribute("aria-pressed") == "true"
    painter.get_by_role("status").get_by_text("Erasing").wait_for()
    stroke(editor, painter, 0.1)
    assert 0 < share(painter) < whole
    editor.press("[", "[")
    assert int(slider.input_value()) == before


def test_colours_under_a_mask_are_kept(editor: Editor, painter: Any) -> None:
    stroke(editor, painter)
    picture = kept(editor, painter)
    assert picture.getchannel("A").getextrema() == (0, 255)
    assert picture.convert("RGB").getextrema() == tuple((value, value) for value in RED)
    editor.button("Paint the mask").click()  # and again, from the masked picture
    painter.get_by_role("button", name="Clear").click()
    again = kept(editor, painter)
    assert again.convert("RGBA").getextrema() == (*((value, value) for value in RED), (255, 255))


def test_a_mask_that_nothing_uses_is_told(editor: Editor, painter: Any) -> None:
    stroke(editor, painter)
    kept(editor, painter)
    editor.said("nothing uses it yet")
    editor.add("Invert Mask")
    editor.wire(("load", "mask"), (editor.of_type("InvertMask"), "mask"))
    editor.page.evaluate("window.announced = []")
    editor.button("Paint the mask").click()
    painter.get_by_role("button", name="Invert").click()
    painter.get_by_role("button", name="Keep").click()
    painter.wait_for(state="detached")
    assert not [text for text in editor.page.evaluate("window.announced") if "nothing uses" in text]


def test_painting_is_not_lost_to_one_key(editor: Editor, painter: Any) -> None:
    stroke(editor, painter)
    editor.press("Escape")
    painter.get_by_role("status").get_by_text("Escape again").wait_for()
    editor.press("Escape")
    painter.wait_for(state="detached")
