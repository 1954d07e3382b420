"""What came out: the gallery with its compare slider, charts, tables, and where a picture came from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, workflow

CURVE = {"type": "SeriesFromList", "inputs": {"values": [3.0, 1.0, 2.0]}}


def images(count: int) -> dict[str, Any]:
    image = {"type": "EmptyImage", "inputs": {"width": 24, "height": 16, "batch_size": count}}
    return {"image": image, "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}}}


@pytest.fixture
def gallery(editor: Editor) -> Editor:
    editor.open(workflow(images(2)))
    editor.runs_to_the_end()
    editor.panel("Results").get_by_role("button", name=re.compile("^View ")).first.click()
    editor.page.get_by_role("dialog").wait_for()
    return editor


def test_pictures_are_compared(gallery: Editor) -> None:
    viewer = gallery.page.get_by_role("dialog")
    viewer.get_by_role("button", name="Compare", exact=True).click()
    viewer.get_by_role("group", name="Compare with").get_by_role("button").first.click()
    left, right = viewer.locator(".compare-side").all_inner_texts()
    assert left.endswith(".png") and right.endswith(".png") and left != right
    slider = viewer.get_by_role("slider", name=re.compile("^Where one picture ends"))
    clipped = "() => document.querySelector('.compare-stage img:nth-of-type(2)').style.clipPath"
    before = gallery.page.evaluate(clipped)
    slider.press("Home")
    assert gallery.page.evaluate(clipped) != before


def test_pictures_of_different_runs_are_compared(editor: Editor) -> None:
    for count in (1, 2):
        editor.open(workflow(images(count), name=f"Made {count}"))
        editor.runs_to_the_end()
    history = editor.panel("History")
    entry = history.locator("li.job", has_text="Made 1").first
    entry.get_by_role("button", name=re.compile("^View ")).click()
    viewer = editor.page.get_by_role("dialog")
    viewer.get_by_role("button", name="Compare", exact=True).click()
    others = viewer.get_by_role("group", name="Compare with").get_by_role("button")
    editor.until(lambda: others.count() >= 2, "the two of the other run")


def test_a_picture_is_zoomed(gallery: Editor) -> None:
    """Per cent are those of the picture's own pixels."""
    viewer = gallery.page.get_by_role("dialog")
    shown = viewer.locator(".zoom-stage img")
    assert gallery.loaded(shown)

    def is_told() -> bool:
        """Whether the number beside the buttons is the size that is seen."""
        box = shown.bounding_box()
        seen = 100 * min(box["width"] / 24, box["height"] / 16)
        told = float(viewer.locator(".zoom-buttons span").inner_text().removesuffix(" %"))
        return bool(told == pytest.approx(seen, rel=0.01))

    gallery.until(is_told, "the size of the whole picture")
    whole = shown.bounding_box()["width"]
    viewer.get_by_role("button", name="Zoom in").click()
    gallery.until(is_told, "the size of the picture enlarged")
    assert shown.bounding_box()["width"] == pytest.approx(1.25 * whole, rel=0.01)
    viewer.get_by_role("button", name="Actual size").click()
    viewer.get_by_text("100 %", exact=True).wait_for()
    gallery.until(is_told, "the size of its pixels")
    viewer.get_by_role("button", name="Fit").click()
    gallery.until(is_told, "the size of the whole picture again")
    assert shown.bounding_box()["width"] == whole


def test_the_workflow_that_made_a_picture_is_opened(editor: Editor) -> None:
    editor.open(workflow(images(1), name="Maker"))
    editor.runs_to_the_end()
    history = editor.panel("History")
    entry = history.locator("li.job", has_text="Maker").first
    entry.get_by_role("button", name=re.compile("^View ")).first.click()
    viewer = editor.page.get_by_role("dialog")
    viewer.get_by_text("Made by show").wait_for()
    viewer.get_by_role("button", name="Open this workflow").click()
    editor.until(lambda: editor.page.locator(".tab").count() == 2, "a tab with it")
    assert {node["type"] for node in editor.nodes().values()} == {"EmptyImage", "PreviewImage"}


def test_a_curve_is_drawn(editor: Editor) -> None:
    show = {"type": "PreviewSeries", "links": {"series": ["curve", "series"]}}
    editor.open(workflow({"curve": CURVE, "show": show}))
    editor.runs_to_the_end()
    panel = editor.panel("Results")
    panel.locator("canvas").first.wait_for()
    panel.get_by_role("img", name=re.compile("lowest 1, highest 3, last 2")).wait_for()


def test_a_histogram_and_a_table(editor: Editor) -> None:
    nodes = {
        **images(1),
        "histogram": {"type": "ImageHistogram", "links": {"image": ["image", "image"]}},
        "chart": {"type": "PreviewSeries", "links": {"series": ["histogram", "results"]}},
        "statistics": {"type": "ImageStatistics", "links": {"image": ["image", "image"]}},
        "table": {"type": "PreviewTable", "links": {"table": ["statistics", "table"]}},
    }
    editor.open(workflow(nodes))
    editor.runs_to_the_end()
    panel = editor.panel("Results")
    panel.locator("canvas").first.wait_for()
    panel.get_by_role("table").get_by_text("red").first.wait_for()


def test_the_whole_legend_of_a_chart_is_on_its_card(editor: Editor) -> None:
    curves = {
        f"curve{number}": {
            "type": "SeriesFromList",
            "inputs": {"values": [1.0, 2.0, number], "name": f"a longer name {number}"},
        }
        for number in range(3)
    }
    links = [[id, "series"] for id in curves]
    editor.open(workflow({**curves, "show": {"type": "PreviewSeries", "links": {"series": links}}}))
    editor.runs_to_the_end()
    drawn = editor.card("show").locator(".drawn")
    drawn.locator("canvas").wait_for()
    box = drawn.bounding_box()
    for name in drawn.locator(".u-series").all():
        if name.inner_text().startswith("a longer name"):
            at = name.bounding_box()
            assert box["x"] <= at["x"] and at["x"] + at["width"] <= box["x"] + box["width"]
            assert at["y"] + at["height"] <= box["y"] + box["height"]
    assert drawn.locator(".u-series", has_text="a longer name").count() == 3


def test_a_mask_is_seen(editor: Editor) -> None:
    nodes = {
        **images(1),
        "mask": {"type": "ImageToMask", "links": {"image": ["image", "image"]}},
        "grey": {"type": "MaskToImage", "links": {"mask": ["mask", "mask"]}},
        "seen": {"type": "PreviewImage", "links": {"images": ["grey", "image"]}},
    }
    editor.open(workflow(nodes))
    editor.runs_to_the_end()
    assert editor.loaded(editor.picture("seen"))


COLOURED = """async (img) => {
    await img.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(img, 0, 0);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.some((_, at) => at % 4 === 0 && Math.abs(data[at] - data[at + 2]) > 8);
}"""
"""Whether a picture is not grey alone."""

LATENTS = {
    "loader": {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "emoji-sd"}},
    "picture": {"type": "LoadImage", "inputs": {"image": "red_apple.png"}},
    "shape": {"type": "ImageToMask", "links": {"image": ["picture", "image"]}},
    "encode": {
        "type": "VAEEncodeForInpaint",
        "links": {"pixels": ["picture", "image"], "vae": ["loader", "vae"], "mask": ["shape", "mask"]},
    },
    "decode": {"type": "VAEDecode", "links": {"samples": ["encode", "latent"], "vae": ["loader", "vae"]}},
    "show": {"type": "PreviewImage", "links": {"images": ["decode", "image"]}},
}


@pytest.fixture
def between(editor: Editor) -> Editor:
    """The editor after a run with a mask and latents between its nodes."""
    editor.open(workflow(LATENTS))
    editor.runs_to_the_end()
    editor.picture("show").wait_for()
    return editor


def test_latents_are_seen_on_their_card_and_large(between: Editor) -> None:
    row = between.card("encode").get_by_role("button", name="View encode · latent")
    row.get_by_text("latent 4×16×16").wait_for()
    assert between.loaded(row.locator("img"))
    row.click()
    viewer = between.page.get_by_role("dialog", name="View encode · latent")
    seen = viewer.locator(".zoom-stage img")
    assert between.loaded(seen)
    assert seen.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [16, 16]
    assert seen.evaluate(COLOURED)
    viewer.get_by_label("In colours").uncheck()
    grid = viewer.locator(".zoom-stage img")
    assert between.loaded(grid)
    assert not grid.evaluate(COLOURED)
    assert grid.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [33, 33]  # 2 × 2 channels
    for fact in ("[1, 4, 16, 16] float32", "min", "mean", "max", "std"):
        viewer.get_by_text(fact, exact=True).wait_for()
    viewer.get_by_role("button", name="Close").click()
    between.select("encode")
    between.panel("Results").get_by_role("button", name="View encode · latent").wait_for()


def test_a_mask_is_laid_over_its_picture(between: Editor) -> None:
    row = between.card("shape").get_by_role("button", name="View shape · mask")
    row.get_by_text("mask 128×128").wait_for()
    row.get_by_text("masked where striped").wait_for()
    row.click()
    viewer = between.page.get_by_role("dialog", name="View shape · mask")
    laid = viewer.get_by_label("Over the picture")
    laid.wait_for()
    assert viewer.locator(".zoom-stage img").evaluate(COLOURED)
    viewer.get_by_text("the stronger the stripes").wait_for()
    laid.uncheck()
    viewer.get_by_text("White is masked, black is not.").wait_for()
    assert not viewer.locator(".zoom-stage img").evaluate(COLOURED)  # grey alone


def test_false_colours_of_latents_are_told(editor: Editor) -> None:
    decode = {**LATENTS["decode"], "links": {"samples": ["some", "latent"], "vae": ["loader", "vae"]}}
    nodes = {"some": {"type": "testing.SomeLatents"}, "decode": decode}
    editor.open(workflow({**nodes, "loader": LATENTS["loader"], "show": LATENTS["show"]}))
    editor.runs_to_the_end()
    row = editor.card("some").get_by_role("button", name="View some · latent")
    row.get_by_text("false colours").wait_for()
    row.click()
    viewer = editor.page.get_by_role("dialog", name="View some · latent")
    viewer.get_by_text("False colours: they show shapes alone").wait_for()


def test_what_is_cached_is_seen_without_running_again(between: Editor) -> None:
    between.page.get_by_role("button", name="New workflow").click()
    between.open(workflow(LATENTS, name="Again"))
    between.button("Run (0)").wait_for()
    between.runs_to_the_end()
    between.card("encode").get_by_role("button", name="View encode · latent").wait_for()


def test_what_another_workflow_gave_is_not_shown(between: Editor) -> None:
    shown = between.card("encode").get_by_role("button", name="View encode · latent")
    shown.wait_for()
    green = {**LATENTS["shape"], "inputs": {"channel": "green"}}
    between.open(workflow({**LATENTS, "shape": green}, name="Another"))
    between.button(re.compile(r"^Run \([1-9]")).wait_for()
    assert shown.count() == 0
