"""What somebody who knows the field looks for first, and would stumble over."""

from __future__ import annotations

from typing import Any

from editing import Editor, template, workflow

LOADER = {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "emoji-sd"}}


def prompt(text: str) -> dict[str, object]:
    return {"type": "CLIPTextEncode", "inputs": {"text": text}, "links": {"clip": ["loader", "clip"]}}


def test_a_field_shown_outside_a_subgraph_holds_what_is_inside_until_it_is_changed(editor: Editor) -> None:
    editor.open(workflow({"loader": LOADER, "positive": prompt("a red apple")}))
    editor.select("positive")
    editor.press("Control+Shift+E")
    editor.card("subgraph").wait_for()
    editor.press("Shift+Enter")
    editor.menu("positive", "Show input text outside")
    editor.canvas.focus()
    editor.press("Escape", "Escape")
    field = editor.field("subgraph", "text")
    field.wait_for()
    assert field.input_value() == "a red apple"
    assert "text" not in editor.nodes()["subgraph"].get("inputs", {})
    field.fill("a pear")
    editor.canvas.focus()
    assert editor.nodes()["subgraph"]["inputs"] == {"text": "a pear"}


def text_to_image(**latent: int) -> tuple[dict[str, Any], str]:
    """The template with another size, and the id of its latent."""
    document = template()
    [id] = [id for id, node in document["nodes"].items() if node["type"] == "EmptyLatentImage"]
    document["nodes"][id]["inputs"] |= latent
    return document, id


def test_a_size_that_the_model_was_not_made_for_is_told_before_the_run_and_mended(editor: Editor) -> None:
    document, latent = text_to_image(width=512, height=512)
    document["nodes"]["sampler"]["inputs"]["cfg"] = 8
    editor.open(document)
    editor.button("Hints: 2").click()
    listed = editor.page.get_by_role("region", name="Issues")
    listed.get_by_text("the model makes pictures of 128×128").wait_for()
    editor.page.screenshot(path="/tmp/user/hint.png")
    listed.get_by_role("button", name="Use width 128, height 128").click()
    editor.until(lambda: editor.button("Hints: 1").count() == 1, "one hint less")
    sampler = editor.card("sampler")
    sampler.get_by_role("button", name="Use cfg 2.5").click()
    listed.wait_for(state="detached")
    assert editor.nodes()[latent]["inputs"]["width"] == 128
    assert editor.nodes()["sampler"]["inputs"]["cfg"] == 2.5


def test_a_node_that_is_not_wired_yet_keeps_nothing_else_from_running(editor: Editor) -> None:
    document, _ = text_to_image()
    document["nodes"]["spare"] = {"type": "VAEDecode", "ui": {"position": [40, 900]}}
    editor.open(document)
    editor.button("Issues: 2").wait_for()
    editor.run()
    editor.said("Run without what is not complete yet: VAE Decode (spare)")
    editor.page.screenshot(path="/tmp/user/left_out.png")
    editor.done()
    [save] = [id for id, node in document["nodes"].items() if node["type"] == "SaveImage"]
    editor.picture(save).wait_for()
    editor.button("Issues: 2").wait_for()


def test_the_issues_fold_with_escape_and_with_a_press_elsewhere(editor: Editor) -> None:
    editor.open(workflow({"decode": {"type": "VAEDecode"}}))
    issues = editor.page.get_by_role("region", name="Issues")
    rows = issues.get_by_role("listitem")
    issues.get_by_role("button", name="Issues: 3").wait_for()
    editor.run()  # nothing can run, so the list says why
    rows.first.wait_for()
    assert "VAE Decode" in rows.first.inner_text()
    editor.press("Escape")
    assert rows.count() == 0
    issues.get_by_role("button", name="Issues: 3").click()
    rows.first.wait_for()
    editor.mouse.click(*editor.empty_place(0.5, 0.1))
    assert rows.count() == 0
