"""Tabs and panels: several workflows, the queue, history, nodes, models, settings, keys, log."""

from __future__ import annotations

import re

from editing import Editor, template, workflow
from served import Served

KEYS = ("Ctrl+Enter", "Ctrl+Z", "Ctrl+G", "Tab")


def test_tabs(editor: Editor) -> None:
    editor.open(workflow({"one": {"type": "Integer"}}, name="First"))
    editor.open(workflow({"two": {"type": "Integer"}}, name="Second"))
    tabs = editor.page.get_by_role("navigation", name="Workflows")
    tabs.get_by_role("button", name=re.compile("^First")).click()
    editor.card("one").wait_for()
    assert editor.card("two").count() == 0
    tabs.get_by_role("button", name="Close First").click()
    editor.card("two").wait_for()
    tabs.get_by_role("button", name="New workflow").click()
    editor.card("two").wait_for(state="detached")


def test_many_tabs_leave_everything_else_in_place(editor: Editor) -> None:
    more = editor.page.get_by_role("button", name="New workflow")
    for _ in range(16):
        more.press("Enter")
    width = editor.page.viewport_size["width"]
    for name in ("Cancel", "History"):
        box = editor.page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] + box["width"] <= width
    editor.page.locator(".tab.active").click(trial=True)  # it has come into view


def test_the_queue_is_reordered_paused_and_emptied(editor: Editor, site: Served) -> None:
    panel = editor.panel("Queue")
    panel.get_by_role("button", name="Pause the queue").click()
    panel.get_by_text("Paused: what runs now finishes").wait_for()
    for salt in ("first", "second"):
        nodes = {"slow": {"type": "testing.Slow", "inputs": {"steps": 1, "salt": salt}}}
        site.submit(nodes, label=f"queued {salt}")
    waiting = panel.get_by_role("listitem")
    editor.until(lambda: waiting.count() == 2, "both jobs")
    panel.get_by_role("button", name=re.compile("^Move .*queued second up")).click()
    editor.until(lambda: "second" in waiting.first.inner_text(), "the other order")
    panel.get_by_role("button", name=re.compile("^Cancel .*queued first")).click()
    editor.until(lambda: waiting.count() == 1, "one job less")
    panel.get_by_role("button", name="Resume the queue").click()
    editor.until(lambda: waiting.count() == 0, "an empty queue")


def test_history_reruns_and_opens(editor: Editor, site: Served) -> None:
    nodes = {"slow": {"type": "testing.Slow", "inputs": {"steps": 1, "salt": "history"}}}
    site.submit(nodes, wait=60, label="Remembered")
    entries = editor.panel("History").locator("li.job", has_text="Remembered")
    entries.first.get_by_role("button", name="Run again").click()
    editor.until(lambda: entries.count() == 2, "the second run")
    entries.first.get_by_role("button", name="Open this workflow").click()
    editor.card("slow").wait_for()


def test_the_library_of_nodes(editor: Editor) -> None:
    panel = editor.panel("Nodes")
    panel.get_by_role("searchbox").or_(panel.get_by_role("textbox")).first.fill("KSampler")
    panel.get_by_role("button", name="KSampler", exact=True).click()
    panel.get_by_text("Denoise latents").first.wait_for()
    panel.get_by_text("latent_image").first.wait_for()
    panel.get_by_role("button", name="Add KSampler", exact=True).click()
    editor.until(lambda: len(editor.ids()) == 1, "the node")


def test_models(editor: Editor) -> None:
    model = editor.panel("Models").get_by_role("listitem").filter(has_text="emoji-sd")
    model.wait_for()
    assert model.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 128


def test_templates_have_pictures(editor: Editor) -> None:
    picture = editor.panel("Templates").locator(".template img").first
    picture.wait_for()
    assert editor.loaded(picture)


def test_the_theme_is_kept(editor: Editor) -> None:
    background = "getComputedStyle(document.querySelector('.side')).backgroundColor"
    panel = editor.panel("Settings")
    panel.get_by_role("radio", name="dark").check()
    dark = editor.page.evaluate(background)
    panel.get_by_role("radio", name="light").check()
    assert editor.page.evaluate(background) != dark
    editor.page.reload()
    editor.ready()
    assert editor.page.evaluate(background) != dark


def test_the_sheet_of_shortcuts(editor: Editor) -> None:
    editor.canvas.focus()
    editor.keyboard.press("?")
    panel = editor.page.get_by_role("region", name="Shortcuts")
    panel.get_by_role("table").wait_for()
    assert set(KEYS) <= set(panel.locator("kbd").all_inner_texts())


def test_the_sheet_of_shortcuts_opens_unless_one_types(editor: Editor) -> None:
    sheet = editor.page.get_by_role("region", name="Shortcuts")
    search = editor.panel("Templates").get_by_role("textbox").or_(editor.page.get_by_role("searchbox")).first
    search.focus()
    editor.keyboard.press("?")
    assert search.input_value() == "?"
    assert sheet.count() == 0
    editor.page.get_by_role("button", name="Templates", exact=True).focus()
    editor.keyboard.press("?")
    sheet.wait_for()


def test_the_log_tells_of_runs(editor: Editor) -> None:
    panel = editor.panel("Log")
    editor.open(workflow({"bad": {"type": "testing.Fails", "inputs": {"text": "logged"}}}))
    editor.run()
    panel.get_by_text(re.compile("cannot be done with 'logged'")).first.wait_for()


def test_jobs_without_a_label_are_told_apart(editor: Editor, site: Served) -> None:
    document = template()
    document["nodes"]["sampler"]["inputs"] |= {"seed": 2**64 - 1, "steps": 1}
    document["nodes"]["positive"]["inputs"]["text"] = "a very particular apple"
    site.submit(document["nodes"], wait=60)
    site.ask("POST", "/api/v1/jobs?wait=60", {"workflow": document})
    panel = editor.panel("History")
    about = f"seed {2**64 - 1} · a very particular apple"
    panel.locator("li.job", has_text="Save Image").filter(has_text=about).first.wait_for()
    panel.locator("li.job", has_text="Text to image").filter(has_text=about).first.wait_for()
    slow = {"slow": {"type": "testing.Slow", "inputs": {"steps": 600, "salt": "nameless"}}}
    site.submit(slow)
    editor.panel("Queue").get_by_role("listitem").get_by_text(re.compile("Slow$")).first.wait_for()
