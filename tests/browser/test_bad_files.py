"""Whatever a file, the clipboard or the browser's own store holds: the page stays, and says what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from editing import Editor, Opens, workflow
from served import Served

AUTOSAVED = 1500
"""Milliseconds after which what was opened is kept."""
BASE = {"format": "nodegraph", "version": 1}
FRAME = {"id": "g", "title": "Sound", "position": [0, 300], "size": [300, 200]}


def whole(nodes: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({**BASE, "nodes": nodes, **more}).encode()


def integer(**ui: Any) -> dict[str, Any]:
    return {"type": "Integer", "ui": ui}


def told(editor: Editor, words: str | re.Pattern[str]) -> str:
    """The notice that says this, with its list."""
    notice = editor.page.locator(".message", has_text=words).first
    text: str = notice.element_handle().inner_text()
    return text


def tab(editor: Editor, name: str) -> Any:
    """What brings a tab to the front."""
    return editor.page.locator(".tab", has_text=name).locator("button").first


def paste(editor: Editor, text: str) -> None:
    editor.canvas.focus()
    editor.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    editor.press("Control+v")


# What cannot be drawn


def test_what_cannot_be_drawn_is_left_out_and_named_and_stays_so(editor: Editor) -> None:
    ui = {
        "groups": [None, FRAME, {"id": 1, "title": {"a": 1}, "position": None, "size": None}],
        "reroutes": {"r": None},
        "viewport": {"x": "a"},
    }
    inner = {"s": {"nodes": {"b": integer(title={"x": 1}, position="x")}}}
    nodes = {
        "a": integer(title={"x": 1}, position="x", size=[1e9, -5], sockets=5, color={"a": 2}),
        "far": integer(position=[1e308, -1e308]),
        "near": integer(position=[0, 0]),
        "s": {"type": "subgraph/s", "ui": {"position": [300, 0]}},
    }
    editor.drop("odd.json", whole(nodes, ui=ui, subgraphs=inner))
    notice = told(editor, "not all of it could be carried over")
    for place in ("nodes.a.ui.title", "nodes.far.ui.position", "ui.groups[0]", "ui.reroutes.r"):
        assert f"odd.json: not drawn: {place}" in notice
    for id in nodes:
        editor.card(id).wait_for()
    boxes = [editor.card(id).bounding_box() for id in ("a", "far", "near")]
    assert all(abs(box["x"]) < 3000 and abs(box["y"]) < 3000 for box in boxes)
    assert len({(box["x"], box["y"]) for box in boxes}) == 3
    editor.title("s").dblclick()
    editor.press("Escape")
    editor.button("Open s").click()
    editor.card("b").wait_for()
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.reload()
    editor.ready()
    editor.card("a").wait_for()


def test_groups_that_are_no_list(editor: Editor) -> None:
    editor.drop("odd.json", whole({"a": integer(position=[0, 0])}, ui={"groups": {"x": 1}}))
    editor.card("a").wait_for()
    assert "ui.groups: must be a list of groups" in told(editor, "carried over")


def test_a_curve_that_is_none_is_shown_as_it_is(editor: Editor) -> None:
    entry = {"type": "testing.Widgets", "inputs": {"shape": [1, None, "x"]}}
    editor.open(workflow({"w": entry}))
    assert editor.field("w", "shape").input_value() == '[1,null,"x"]'
    editor.field("w", "shape").fill("[[0,0],[1,1]]")
    editor.press("Enter")
    editor.card("w").get_by_role("group", name="shape").wait_for()


# Mistakes in drawing: answers that no server of ours gives stand for them


def answering(address: str, change: str) -> str:
    """A script that changes what an address of the server answers: ``change`` does so to ``body``."""
    return f"""
    const plain = window.fetch;
    window.fetch = async (...given) => {{
        const answer = await plain(...given);
        const at = new URL(given[0], location).pathname;
        if (at !== "/api/v1{address}" || !answer.ok || window.mended) return answer;
        const body = await answer.json();
        {change}
        return new Response(JSON.stringify(body), answer);
    }};"""


def test_a_card_that_cannot_be_drawn_leaves_the_others_and_can_be_deleted(site: Served, opens: Opens) -> None:
    change = "body.nodes.Integer.display_name = {x: 1};"
    editor = opens(site.url, scripts=[answering("/nodes", change)])
    editor.open(workflow({"bad": integer(), "good": {"type": "String"}}))
    editor.card("bad").get_by_role("alert").get_by_text("This card cannot be drawn").wait_for()
    editor.field("good", "value").fill("still at work")
    editor.title("bad").click()
    editor.press("Delete")
    editor.card("bad").wait_for(state="detached")
    editor.card("good").wait_for()


def test_a_panel_that_cannot_be_drawn_leaves_the_rest(site: Served, opens: Opens) -> None:
    change = "body.templates = [null];"
    editor = opens(site.url, scripts=[answering("/templates", change)])
    editor.open(workflow({"a": integer()}))
    editor.panel("Templates").get_by_role("alert").get_by_text("This panel cannot be drawn").wait_for()
    editor.panel("Queue")
    editor.card("a").wait_for()


def test_a_canvas_that_cannot_be_drawn_leaves_the_other_tabs(site: Served, opens: Opens) -> None:
    change = "body.nodes.Integer.inputs.value.schema = null;"
    editor = opens(site.url, scripts=[answering("/nodes", change)])
    editor.open(workflow({"good": {"type": "String"}}, name="Good"))
    editor.drop("bad.json", whole({"bad": integer(position=[0, 0])}, name="Bad"))
    failed = editor.page.get_by_role("alert").get_by_text("This workflow cannot be drawn")
    failed.wait_for()
    tab(editor, "Good").click()
    editor.card("good").wait_for()
    tab(editor, "Bad").click()
    failed.wait_for()
    editor.button("Go on without this tab").click()
    editor.card("good").wait_for()


def test_whatever_happens_the_page_is_not_blank(site: Served, opens: Opens) -> None:
    editor = opens(site.url, scripts=[answering("/plan", "body.issues = [null];")])
    editor.open(workflow({"a": {"type": "PreviewImage"}}, name="Unlucky"))
    editor.page.get_by_text("The editor met something it cannot draw").wait_for()
    with editor.page.expect_download() as download:
        editor.button("Export JSON").click()
    assert json.loads(Path(download.value.path()).read_text())["name"] == "Unlucky"
    editor.button("Go on without this tab").click()
    editor.page.locator(".not-drawn").wait_for(state="detached")
    editor.ready()
    editor.page.wait_for_timeout(500)  # what was kept is read by now
    assert tab(editor, "Unlucky").count() == 0
    editor.press("Alt+Shift+T")
    tab(editor, "Unlucky").wait_for()


# What the browser kept

DAMAGE = """
() => new Promise((resolve) => {
    indexedDB.open("nodegraph").onsuccess = ({target: {result: database}}) => {
        const store = database.transaction("snapshots", "readwrite").objectStore("snapshots");
        store.getAll().onsuccess = ({target: {result: all}}) => {
            const bad = all.find(({text}) => text.includes("PRECIOUS"));
            store.put({...bad, text: "{garb PRECIOUS"}, bad.key).onsuccess = resolve;
        };
    };
})
"""


def test_a_damaged_tab_is_set_aside_and_the_others_open(editor: Editor) -> None:
    precious = {"type": "String", "inputs": {"value": "PRECIOUS"}}
    editor.open(workflow({"good": {"type": "String"}}))
    editor.open(workflow({"bad": precious}))
    editor.page.wait_for_timeout(AUTOSAVED)
    editor.page.evaluate(DAMAGE)
    editor.page.reload()
    editor.ready()
    editor.card("good").wait_for()
    assert "not valid JSON" in told(editor, "Kept in this browser, but damaged")
    with editor.page.expect_download() as download:
        editor.button("Download").click()
    assert Path(download.value.path()).read_text() == "{garb PRECIOUS"
    editor.page.reload()
    editor.ready()
    editor.card("good").wait_for()
    assert editor.page.locator(".message").count() == 0


# The clipboard

COMFY_API = {"1": {"class_type": "PreviewImage", "inputs": {}}}
COMFY_EDITOR = {"nodes": [{"id": 7, "type": "PreviewImage", "pos": [0, 0]}], "links": [], "version": 0.4}


def test_what_is_pasted_is_told_like_what_is_dropped(editor: Editor) -> None:
    cases = [
        ("just a prompt, (masterpiece:1.2)", "The clipboard holds no nodes"),
        ("x" * 1_000_000, "The clipboard holds no nodes"),
        (json.dumps(BASE)[:-1] + ',"nodes":{', "not valid JSON at line 1"),
        (
            '{"format":"nodegraph","version":1,"nodes":{"a":{"type":"Float","inputs":{"v":NaN}}}}',
            "NaN is not",
        ),
        ('{"format":"nodegraph","version":1,"nodes":{"a":{"type":"A"},"a":{"type":"B"}}}', "given more than"),
        (whole({"a": {"type": "Integer", "links": None}}).decode(), "nodes.a.links: must be an object"),
        (whole({"a": {"type": "Integer", "links": {"value": 5}}}).decode(), "nodes.a.links.value: must be"),
        ('{"a":' + "[" * 20_000 + "]" * 20_000 + "}", "nested deeper than 100"),
        ("[1]", "a workflow is a JSON object, not"),
    ]
    for text, words in cases:
        paste(editor, text)
        notice = told(editor, words)
        assert notice.startswith("The clipboard"), notice
        editor.page.evaluate("document.querySelectorAll('.message').forEach((one) => one.textContent = '')")
    assert editor.cards().count() == 0


def test_workflows_of_comfyui_can_be_pasted(editor: Editor) -> None:
    paste(editor, json.dumps(COMFY_API))
    editor.card("1").wait_for()
    paste(editor, json.dumps(COMFY_EDITOR))
    editor.card("7").wait_for()


# Saved ones


def saved(site: Served, name: str, content: bytes) -> Path:
    folder = site.folder / "home" / "server" / "workflows" / "local"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_bytes(content)
    return file


def test_damaged_saved_files_are_told_by_name(site: Served, editor: Editor) -> None:
    cases = {
        "Broken": (b"{garb", "Broken: not valid JSON"),
        "Empty": (b"", "Empty: the file is empty"),
        "Null": (b"null", "Null: a workflow is a JSON object, not null"),
        "List": (b"[1]", "List: a workflow is a JSON object, not [1]"),
        "Bytes": (b"\xff\xfe\0\0", "Bytes: the file of 'Bytes' is damaged"),
        "Links": (
            whole({"a": {"type": "Integer", "links": None}}),
            "Links: nodes.a.links: must be an object",
        ),
    }
    files = [saved(site, name, content) for name, (content, _) in cases.items()]
    files.append(saved(site, "Comfy", json.dumps(COMFY_API).encode()))
    panel = editor.panel("Workflows")
    for name, (_, words) in cases.items():
        panel.get_by_role("button", name=name, exact=True).click()
        told(editor, words)
    panel.get_by_role("button", name="Comfy", exact=True).click()
    editor.card("1").wait_for()
    for file in files:
        file.unlink()


def test_theirs_may_be_damaged_or_gone(site: Served, editor: Editor) -> None:
    editor.open(workflow({"t": {"type": "String", "inputs": {"value": "one"}}}))
    editor.save_as("Theirs")
    file = saved(site, "Theirs", b"{garb")
    editor.field("t", "value").fill("two")
    editor.canvas.focus()
    editor.press("Control+s")
    editor.button("Open theirs beside mine").click()
    told(editor, "Theirs: not valid JSON")
    file.unlink()
    editor.press("Control+s")
    told(editor, "Theirs was deleted from the server")
    assert editor.page.get_by_role("dialog").count() == 0
    editor.page.locator(".message").get_by_role("button", name="Save").click()
    editor.until(file.exists, "the file, put back")
    assert json.loads(file.read_text())["nodes"]["t"]["inputs"]["value"] == "two"


# Files

DROP_MANY = """
([good, all, times = 1]) => {
    const transfer = new DataTransfer();
    for (let i = 0; i < all; i++) {
        const name = "file" + i + ".json";
        const content = i % 3 == 1 ? "{broken" : good.repeat(times);
        transfer.items.add(new File([content], name, {type: "application/json"}));
    }
    const target = document.querySelector("[data-region=canvas]");
    for (const kind of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
}
"""


def test_files_that_do_not_open_are_named_once(editor: Editor) -> None:
    good = whole({"a": integer(position=[0, 0])}).decode()
    editor.page.evaluate(DROP_MANY, [good, 9])
    notice = told(editor, "3 of 9 files could not be opened")
    assert re.findall(r"file\d\.json: not valid JSON", notice) == [
        f"file{n}.json: not valid JSON" for n in (1, 4, 7)
    ]


def test_files_of_other_kinds_are_told_in_words_for_people(editor: Editor) -> None:
    cases = {
        "utf16.json": ('{"format":"nodegraph"}'.encode("utf-16"), "not UTF-8 text but UTF-16"),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "there is no workflow in it"),
        "notes.txt": (b"hello", "there is no workflow in it"),
        "program.py": (b"print(1)", "there is no workflow in it"),
    }
    for name, (content, words) in cases.items():
        editor.drop(name, content)
        assert "codec" not in told(editor, re.compile(f"^{name}: .*{words}"))


def test_a_file_that_is_too_large_is_told_in_mib(editor: Editor) -> None:
    editor.page.evaluate(DROP_MANY, [" " * 1000, 1, 17_000])
    told(editor, "file0.json: the file may have up to 16 MiB")


def test_what_is_odd_in_a_file_of_comfyui_is_told(editor: Editor) -> None:
    nodes: list[dict[str, Any]] = [
        {"id": 1, "type": "PreviewImage", "pos": [0, 0]},
        {"id": 1, "type": "LoadImage", "pos": [300, 0]},
        {"id": 2, "type": "Reroute", "inputs": [{"name": "", "link": 1}]},
        {"id": 3, "type": "Reroute", "inputs": [{"name": "", "link": 2}]},
    ]
    ring = [[1, 3, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"]]
    groups = [{"title": "a", "bounding": [1]}, {"title": "b"}]
    document = {"nodes": nodes, "links": ring, "groups": groups, "version": 0.4}
    editor.drop("comfy.json", json.dumps(document).encode())
    editor.card("1").wait_for()
    editor.card("1-2").wait_for()
    notice = told(editor, "not all of it could be carried over")
    assert "two nodes of the file have the id 1" in notice
    assert "reroutes lead in a circle (2, 3)" in notice
    assert "groups[0] has no place" in notice


# Frames of the events

GARBAGE = """
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
    constructor(address) {
        super(address);
        const odd = ["{garb", "null", "5", "[]", '{"type":"node_finished","job":5}', '{"type":5}',
            '{"type":"node_started","job":"x","node":[]}', new ArrayBuffer(2),
            new Uint8Array([255, 255, 255, 255]).buffer];
        this.addEventListener("open", () => {
            for (const data of odd) this.dispatchEvent(new MessageEvent("message", {data}));
        });
    }
};
"""


def test_frames_that_are_no_events_are_passed_over(site: Served, opens: Opens) -> None:
    editor = opens(site.url, scripts=[GARBAGE])
    editor.open(workflow({"slow": {"type": "testing.Slow", "inputs": {"steps": 1, "salt": "garbage"}}}))
    editor.runs_to_the_end()
