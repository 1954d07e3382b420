"""What somebody who knows the field looks for first, and would stumble over."""

from __future__ import annotations

from editing import Editor, workflow

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
