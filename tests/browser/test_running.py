"""Running: what will happen is told before, progress while it does, results and errors where they belong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from editing import Editor, template, workflow
from PIL import Image
from served import Served

FAILING = {"bad": {"type": "testing.Fails", "inputs": {"text": "this"}}}

AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""


def jobs(site: Served, label: str) -> list[Any]:
    found = site.ask("GET", "/api/v1/jobs?limit=200").json
    return [job for job in found["jobs"] if job["label"] == label]


def slow(salt: str, steps: int = 100, **more: Any) -> dict[str, Any]:
    nodes = {"slow": {"type": "testing.Slow", "inputs": {"steps": steps, "salt": salt}}}
    return workflow(nodes, **more)


def test_before_during_and_after(editor: Editor) -> None:
    document = template()
    document["nodes"]["sampler"]["inputs"].update(seed=901, steps=40)
    editor.open(document)
    sampler = editor.card("sampler")
    sampler.get_by_text("will run").wait_for()
    editor.card("decode").get_by_text("128×128").wait_for()
    editor.run()
    sampler.get_by_role("progressbar").wait_for(timeout=60_000)
    sampler.get_by_text(re.compile(r"\d+/40")).wait_for()
    editor.picture("sampler").wait_for()
    assert sampler.locator(".origin").count() == 0, "it runs: what was planned is said no more"
    editor.page.get_by_role("progressbar", name="Progress of the run").wait_for()
    editor.done()
    sampler.get_by_text("cached").first.wait_for()
    sampler.locator(".time").get_by_text(re.compile(r"\d+(\.\d)? m?s")).wait_for()
    assert editor.picture("sampler").count() == 0, "the latents are shown, no preview of them"
    assert editor.loaded(editor.picture("save"))
    editor.button("Run (0)").wait_for()
    editor.runs_to_the_end()
    editor.card("save").get_by_text(re.compile("from (memory|disk)")).wait_for()


def test_cancel_is_immediate(editor: Editor) -> None:
    editor.open(slow("cancel", steps=600))
    editor.run()
    editor.card("slow").get_by_role("progressbar").wait_for()
    editor.button("Cancel").click()
    editor.card("slow").get_by_text("cancelled").wait_for(timeout=5000)


def test_an_error_is_read_whole_where_cards_lie_close(editor: Editor) -> None:
    text = "a very long text that it says " * 12
    nodes = {
        "bad": {"type": "testing.Fails", "inputs": {"text": text}, "ui": {"position": [0, 0]}},
        "below": {"type": "testing.Slow", "inputs": {"steps": 1}, "ui": {"position": [20, 90]}},
    }
    editor.open(workflow(nodes))
    editor.run()
    alert = editor.card("bad").get_by_role("alert")
    alert.get_by_text("write something else").wait_for()
    covered = """(alert) => {
        const { left, top, width, height } = alert.getBoundingClientRect();
        const places = [0.05, 0.5, 0.95].flatMap((x) => [0.05, 0.5, 0.95].map((y) => [x, y]));
        return places.filter(([x, y]) =>
            !alert.contains(document.elementFromPoint(left + x * width, top + y * height))).length;
    }"""
    assert alert.evaluate(covered) == 0
    box = alert.bounding_box()
    assert box["y"] + box["height"] > editor.title("below").bounding_box()["y"], "they do lie over each other"
    assert alert.evaluate("alert => alert.scrollHeight > alert.clientHeight"), "it is long: it scrolls"


def test_an_error_stays_on_its_node(editor: Editor) -> None:
    editor.open(workflow(FAILING))
    editor.run()
    alert = editor.card("bad").get_by_role("alert")
    alert.get_by_text("This cannot be done with 'this'; write something else.").wait_for()
    editor.field("bad", "text").fill("that")
    assert alert.is_visible()


def test_an_issue_leads_to_its_node_inside_a_subgraph(editor: Editor) -> None:
    inner = {"nodes": {"deep": {"type": "KSampler", "inputs": {"steps": 0}, "ui": {"position": [0, 0]}}}}
    editor.open(workflow({"outer": {"type": "subgraph/part"}}, subgraphs={"part": inner}))
    editor.button(re.compile(r"^Issues: \d+")).click()
    editor.page.get_by_role("button", name=re.compile("KSampler")).first.click()
    editor.page.get_by_role("navigation", name="Where you are").wait_for()
    editor.card("deep").wait_for()
    assert editor.page.locator('.react-flow__node.selected [data-node="deep"]').count() == 1


def test_batch_count(editor: Editor, site: Served) -> None:
    editor.open(slow("batch", steps=1, name="Batch"))
    editor.page.get_by_label("Number of runs").fill("3")
    editor.run()
    editor.until(lambda: len(jobs(site, "Batch")) == 3, "three jobs")


@pytest.mark.parametrize(
    ("typed", "told", "kept"),
    [
        ("5000", "At most 999: 5000 became 999", "999"),
        ("0", "At least 1: 0 became 1", "1"),
        ("2.4", "Whole numbers only: 2.4 became 2", "2"),
        ("many", "“many” is not a number", "1"),
    ],
)
def test_a_number_of_runs_that_cannot_be_is_told_beside_the_field(
    editor: Editor, typed: str, told: str, kept: str
) -> None:
    field = editor.page.get_by_label("Number of runs")
    field.fill(typed)
    field.press("Enter")
    note = editor.page.locator(".field-note", has_text=told)
    note.wait_for()
    assert field.input_value() == kept
    beside, place = note.bounding_box(), field.bounding_box()
    assert 0 <= beside["y"] - (place["y"] + place["height"]) < 12
    assert beside["x"] >= 0
    field.fill("")
    field.press("Tab")
    assert field.input_value() == kept


def test_cancelling_a_large_batch_stops_its_queueing_at_once(editor: Editor, site: Served) -> None:
    editor.open(slow("large batch", steps=400, name="Large batch"))
    editor.page.get_by_label("Number of runs").fill("300")
    requests: list[str] = []
    submits = re.compile("/api/v1/jobs(/batch)?$")
    editor.page.on("request", lambda request: submits.search(request.url) and requests.append(request.url))
    editor.run()
    cancel = editor.button(re.compile("^Cancel"))
    editor.until(lambda: "Cancel all" in cancel.inner_text(), "something to cancel")
    cancel.click()
    editor.until(lambda: "Cancelled" in editor.page.evaluate("window.announced"), "that it was cancelled")
    editor.until(cancel.is_disabled, "nothing to cancel", 20)
    editor.page.wait_for_timeout(1000)
    queue = site.ask("GET", "/api/v1/queue").json
    assert queue["running"] + queue["waiting"] == []
    assert not [text for text in editor.page.evaluate("window.announced") if "Queued" in text]
    assert len(requests) <= 6


def test_run_on_change(editor: Editor) -> None:
    editor.open(workflow({"sum": {"type": "testing.Slow", "inputs": {"steps": 2, "salt": "change"}}}))
    editor.page.get_by_label("Run on change").check()
    editor.field("sum", "steps").fill("3")
    editor.press("Enter")
    editor.card("sum").locator("output", has_text="3").wait_for()


def swept(editor: Editor) -> Any:
    """The panel of a sweep that has run."""
    image = {"type": "EmptyImage", "inputs": {"width": 16, "height": 16, "color": "#123456"}}
    save = {"type": "PreviewImage", "links": {"images": ["image", "image"]}}
    editor.open(workflow({"image": image, "save": save}))
    panel = editor.panel("Sweep")
    for axis, input, values in (("Across", "width", "16, 32"), ("Down", "height", "16, 24")):
        choice = panel.get_by_label(f"Input {axis}")
        option = choice.locator("option", has_text=input).first.inner_text()
        choice.select_option(option)
        panel.get_by_label(f"Values {axis}").fill(values)
    panel.get_by_role("button", name="Run 4 combinations").click()
    editor.until(lambda: panel.locator(".sweep-grid img").count() == 4, "four pictures", 60)
    return panel


def test_a_sweep_gives_a_grid(editor: Editor) -> None:
    panel = swept(editor)
    panel.get_by_role("button", name="Open the workflow of image.width 32 · image.height 24").wait_for()
    assert panel.get_by_label("Input Down").locator("option", has_text="image.width").count() == 0
    editor.panel("History").get_by_text("Sweep · image.width 16 · image.height 24").wait_for()
    panel = editor.panel("Sweep")
    assert panel.get_by_label("Values Down").input_value() == "16, 24"
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    panel = editor.panel("Sweep")
    editor.until(lambda: panel.locator(".sweep-grid img").count() == 4, "four pictures", 60)
    with editor.page.expect_download() as download:
        panel.get_by_role("button", name="Save the grid as a picture").click()
    with Image.open(download.value.path()) as picture:
        assert picture.width >= 2 * 32 and picture.height >= 2 * 24
    panel.get_by_role("button", name="Open the workflow of image.width 32 · image.height 24").click()
    editor.until(lambda: editor.field("image", "width").input_value() == "32", "the workflow of a cell")


def test_a_card_shows_the_picture_of_its_own_values_after_a_sweep(editor: Editor) -> None:
    swept(editor)
    width = """(card) => Math.max(0, ...[...card.querySelectorAll("img")].map((img) => img.naturalWidth))"""
    for value in ("32", "16"):
        editor.field("image", "width").fill(value)
        editor.field("image", "height").fill("16")
        editor.canvas.focus()
        editor.card("save").get_by_text("cached").wait_for()
        shown = f"the picture {value} wide"
        editor.until(lambda value=value: editor.card("save").evaluate(width) == int(value), shown, 10)


def test_a_sweep_of_too_many_combinations_is_told_before_it_runs(editor: Editor) -> None:
    editor.open(workflow({"image": {"type": "EmptyImage"}}))
    panel = editor.panel("Sweep")
    for axis, input in (("Across", "image.width"), ("Down", "image.height")):
        panel.get_by_label(f"Input {axis}").select_option(input)
        panel.get_by_label(f"Values {axis}").fill("1..20")
    panel.get_by_role("alert").get_by_text("400 combinations are more than the 256").wait_for()
    assert panel.get_by_role("button", name="Run 400 combinations").is_disabled()


def test_how_a_node_failed_can_be_read(editor: Editor) -> None:
    editor.open(workflow(FAILING))
    editor.run()
    for place in (editor.card("bad"), editor.panel("Log")):
        place.get_by_text("How it came about").first.click()
        place.locator("pre").get_by_text("in Fails").wait_for()
        assert "ValueError: This cannot be done with 'this'" in place.locator("pre").inner_text()
