"""Subgraphs saved as nodes: found and added in any workflow and browser, renamed, edited, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from editing import Editor, Opens, workflow
from served import Served

NODES = {
    "one": {"type": "Integer", "inputs": {"value": 1}},
    "sum": {"type": "AddIntegers", "links": {"a": ["one", "int"]}, "inputs": {"b": 2}},
    "twice": {"type": "MultiplyIntegers", "links": {"a": ["sum", "sum"]}, "inputs": {"b": 2}},
}


@pytest.fixture
def owner(editor: Editor, site: Served) -> Iterator[Editor]:
    """The editor with a subgraph of one input and one output, saved as the node "Count on"."""
    editor.open(workflow(NODES))
    editor.select("sum")
    editor.press("Control+Shift+E")
    editor.card("sum").wait_for(state="detached")
    save(editor, "Count on", "Adds two.")
    yield editor
    for path in ("Count on", "Count further"):
        site.ask("DELETE", f"/api/v1/workflows/nodes/{path.replace(' ', '%20')}")


def save(editor: Editor, name: str, words: str = "") -> None:
    editor.menu("subgraph", "Save as a node")
    dialog = editor.page.get_by_role("dialog", name="Save as a node")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("What it does").fill(words)
    dialog.get_by_role("button", name="Save").click()
    editor.said(f"{name} is in your library")


def added(editor: Editor) -> Any:
    """The node of the subgraph "Count on"."""
    return editor.nodes()[editor.of_type("subgraph/Count on")]


def test_a_saved_node_is_found_and_added_in_another_browser(
    owner: Editor, site: Served, opens: Opens
) -> None:
    other = opens(site.url)
    other.open(workflow({"number": {"type": "Integer", "inputs": {"value": 5}}}))
    other.drag(other.place(other.socket("number", "int", "output")), other.empty_place(0.8, 0.7))
    other.page.locator(".filter-list input").fill("count on")
    about = other.page.locator(".filter-about")
    for words in ("my nodes", "Adds two.", "a int", "sum int"):
        about.get_by_text(words).wait_for()
    other.option("Count on").click()
    other.until(lambda: len(other.ids()) == 2, "the node")
    assert added(other)["links"] == {"a": ["number", "int"]}
    inside = other.document()["subgraphs"]["Count on"]
    assert inside["nodes"]["sum"]["inputs"] == {"b": 2}


def test_it_stays_and_runs_after_a_reload(owner: Editor) -> None:
    owner.page.reload()
    owner.ready()
    owner.card("twice").wait_for()
    panel = owner.panel("Nodes")
    panel.get_by_text("my nodes").wait_for()
    panel.get_by_role("button", name="Add Count on").click()
    owner.until(lambda: len(owner.nodes()) == 4, "the node")
    assert added(owner)["type"] == "subgraph/Count on"
    panel.get_by_role("button", name="Add Count on").click()
    owner.until(lambda: len(owner.nodes()) == 5, "another")
    assert set(owner.document()["subgraphs"]) == {"subgraph", "Count on"}


def test_it_takes_the_place_of_a_node(owner: Editor) -> None:
    owner.menu("twice", "Replace…")
    owner.pick("Count on")
    owner.until(lambda: owner.nodes()["twice"]["type"] == "subgraph/Count on", "the other type")
    assert owner.nodes()["twice"]["links"] == {"a": ["subgraph", "sum"]}


def test_it_is_renamed_and_deleted(owner: Editor) -> None:
    panel = owner.panel("Nodes")
    panel.get_by_role("button", name="Count on", exact=True).click()
    panel.get_by_role("button", name="Rename").click()
    dialog = owner.page.get_by_role("dialog", name="Rename Count on")
    dialog.get_by_label("Name").fill("Count further")
    dialog.get_by_role("button", name="Rename").click()
    panel.get_by_role("button", name="Count further", exact=True).click()
    assert panel.get_by_role("button", name="Count on", exact=True).count() == 0
    panel.get_by_text("Adds two.").wait_for()
    panel.get_by_role("button", name="Delete").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    panel.get_by_role("button", name="Count further", exact=True).wait_for(state="detached")
    owner.page.reload()
    owner.ready()
    owner.canvas.focus()
    owner.press("Tab")
    owner.keyboard.type("count further")
    owner.page.get_by_text("Nothing fits.").or_(owner.option("ControlNet").first).wait_for()
    assert owner.option("Count further").count() == 0


def test_a_name_is_taken_once_unless_replaced(owner: Editor) -> None:
    owner.menu("subgraph", "Save as a node")
    dialog = owner.page.get_by_role("dialog", name="Save as a node")
    dialog.get_by_label("Name").fill("Count on")
    dialog.get_by_role("alert").get_by_text("You have a node called Count on already").wait_for()
    assert dialog.get_by_role("button", name="Save").is_disabled()
    dialog.get_by_label("What it does").fill("Something else.")
    dialog.get_by_role("button", name="Replace").click()
    owner.said("Count on is in your library")
    panel = owner.panel("Nodes")
    panel.get_by_role("button", name="Count on", exact=True).click()
    panel.get_by_text("Something else.").wait_for()


def test_it_is_edited_as_a_workflow_and_not_put_into_itself(owner: Editor) -> None:
    panel = owner.panel("Nodes")
    panel.get_by_role("button", name="Count on", exact=True).click()
    panel.get_by_role("button", name="Edit").click()
    owner.card("node").wait_for()
    owner.card("node").get_by_role("button", name="Open Count on").click()
    owner.field("sum", "b").fill("7")
    owner.press("Enter")
    owner.canvas.focus()
    owner.press("Control+S")
    owner.said("nodes/Count on saved")
    panel.get_by_role("button", name="Add Count on").click()
    owner.said("Count on cannot be put into itself")
    assert owner.ids() == {"sum"}
    owner.page.get_by_role("button", name="New workflow").click()
    panel.get_by_role("button", name="Add Count on").click()
    owner.until(lambda: len(owner.ids()) == 1, "the node in a new workflow")
    assert owner.document()["subgraphs"]["Count on"]["nodes"]["sum"]["inputs"]["b"] == 7
