"""Templates, saving and opening, dropped files, exports; what is not known is kept."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from editing import WORKFLOWS, Editor, Opens, template, workflow
from served import Served
from sight import look_at

TEMPLATES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))
LONG = {"style_transfer", "refine_loop", "contact_sheet"}
"""Those whose runs take long enough for other tests to do them."""
HIDDEN = 0.2
"""How much of a wire may be behind cards."""
STRANGE = {
    "type": "gone.Node",
    "version": 3,
    "pack": "gone",
    "inputs": {"x": [1, None]},
    "odd": {"kept": True},
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_opens_in_plain_sight_and_runs_or_says_why_not(
    editor: Editor, site: Served, name: str
) -> None:
    document = template(name)
    editor.panel("Templates").get_by_role("button", name=f"Open {document['name']}", exact=True).click()
    editor.page.locator(".card").first.wait_for()
    editor.until(lambda: editor.document() == document, "the template as it is in its file")
    is_seen(editor)
    known = site.ask("POST", "/api/v1/validate", {"workflow": document}).json
    if any(issue["severity"] == "error" for issue in known["issues"]):
        editor.page.get_by_role("button", name=re.compile(r"^Issues: \d+")).wait_for()
    elif name not in LONG:
        editor.runs_to_the_end(90)
        editor.panel("Results").get_by_role("button", name=re.compile("^View ")).first.wait_for()
    else:
        editor.button(re.compile(r"^Run \(\d+\+?\)$")).wait_for()


def is_seen(editor: Editor) -> None:
    """No card lies on another one, and no wire runs behind cards."""
    editor.fit()
    editor.page.locator(".react-flow__edge").first.wait_for()
    over, behind = look_at(editor.page)
    assert over == []
    assert {wire: share for wire, share in behind.items() if share > HIDDEN} == {}


def test_what_is_saved_opens_as_it_was(editor: Editor, site: Served, opens: Opens) -> None:
    document = {**template(), "name": "Kept", "unknown": {"kept": [1.5, "two"]}}
    document["nodes"]["strange"] = {**STRANGE, "ui": {"position": [40, 600]}}
    editor.open(document)
    assert editor.document() == document
    editor.file("Save as…")
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("folder/kept")
    dialog.get_by_role("button", name="Save").click()
    editor.said("folder/kept saved")
    other = opens(site.url)
    other.panel("Workflows").get_by_role("button", name="folder/kept").first.click()
    other.card("strange").wait_for(state="attached")
    assert other.document() == document


def test_the_node_of_a_missing_pack_survives_edits(editor: Editor) -> None:
    nodes = {"number": {"type": "Integer", "inputs": {"value": 1}}, "strange": STRANGE}
    editor.open(workflow(nodes))
    editor.card("strange").get_by_text("There is no node type gone.Node here").wait_for()
    editor.field("number", "value").fill("5")
    editor.press("Enter")
    kept = editor.nodes()
    assert kept["number"]["inputs"]["value"] == 5
    assert {key: kept["strange"][key] for key in STRANGE} == STRANGE


def test_a_file_of_comfyui_opens(editor: Editor) -> None:
    path = WORKFLOWS / "comfyui" / "text_to_image.json"
    editor.drop(path.name, path.read_bytes())
    editor.cards().first.wait_for()
    types = {node["type"] for node in editor.nodes().values()}
    assert {"KSampler", "VAEDecode", "CLIPTextEncode"} <= types


def test_what_is_no_workflow_is_told(editor: Editor) -> None:
    editor.drop("broken.json", b"{no workflow")
    editor.page.get_by_role("status").locator("p").wait_for()


def test_exports(editor: Editor) -> None:
    editor.open(template())
    assert json.loads(editor.downloaded("Export JSON")) == template()
    comfy = json.loads(editor.downloaded("Export for ComfyUI"))
    assert {node["class_type"] for node in comfy.values()} >= {"KSampler", "SaveImage"}
    assert "KSampler.node(" in editor.downloaded("Export as Python")


def test_a_closed_window_loses_nothing(site: Served, opens: Opens) -> None:
    editor = opens(site.url)
    editor.open(workflow({"number": {"type": "Integer"}}))
    editor.field("number", "value").fill("77")
    editor.press("Enter")
    context = editor.page.context
    editor.page.close(run_before_unload=False)
    again = opens(site.url, context)
    again.card("number").wait_for()
    assert again.nodes()["number"]["inputs"]["value"] == 77


def test_what_was_opened_a_moment_before_a_reload_stays(editor: Editor) -> None:
    editor.open(workflow({"number": {"type": "Integer", "inputs": {"value": 1}}}))
    for value in ("5", "6"):  # what an edit changed, too, and what is kept by then
        editor.field("number", "value").fill(value)
        editor.press("Enter")
        editor.page.reload()
        editor.ready()
        editor.card("number").wait_for()
        assert editor.nodes()["number"]["inputs"]["value"] == int(value)


def test_the_menu_of_files_gives_the_focus_back(editor: Editor) -> None:
    editor.open(workflow({"number": {"type": "Integer"}}))
    editor.button("File").click()
    editor.page.get_by_role("menuitem", name="Save", exact=False).first.wait_for()
    editor.button("File").focus()  # as it is for a moment until the menu has the focus
    editor.press("Escape")
    editor.page.get_by_role("menuitem").first.wait_for(state="hidden")
    focused = "document.activeElement.textContent"
    assert editor.page.evaluate(focused) == "File"
    editor.downloaded("Export JSON")
    editor.press("Control+A", "Delete")  # keys of the canvas
    editor.card("number").wait_for(state="detached")
    editor.press("Control+Z")
    editor.file("Save as…")
    editor.page.get_by_role("dialog").get_by_role("textbox").press("Escape")
    editor.page.get_by_role("dialog").wait_for(state="detached")
    assert editor.page.evaluate("document.activeElement.dataset.region") == "canvas"


def test_two_windows_do_not_overwrite_each_other(site: Served, opens: Opens) -> None:
    one = opens(site.url)
    one.open(workflow({"number": {"type": "Integer"}}))
    one.save_as("shared")
    other = opens(site.url)
    other.panel("Workflows").get_by_role("button", name="shared", exact=True).click()
    other.card("number").wait_for()
    set_number(other, "2")
    other.press("Control+S")
    other.said("shared saved")
    set_number(one, "1")
    one.press("Control+S")
    dialog = one.page.get_by_role("dialog", name="Saved by someone else")
    dialog.get_by_role("button", name="Open theirs beside mine").click()
    one.until(lambda: number_of(one) == 2, "the other's in a tab of its own")
    assert one.page.locator(".tab").count() == 2


def set_number(editor: Editor, value: str) -> None:
    editor.field("number", "value").fill(value)
    editor.press("Enter")


def number_of(editor: Editor) -> Any:
    return editor.nodes().get("number", {}).get("inputs", {}).get("value")
