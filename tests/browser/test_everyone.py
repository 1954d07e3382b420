"""Screen readers, focus, reduced motion, large text, touch, and axe in each panel and both themes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from editing import Editor, Opens, template, workflow
from PIL import Image
from served import Served

PANELS = [
    *("Nodes", "Templates", "Workflows", "Models", "Settings", "Shortcuts"),
    *("Queue", "History", "Results", "Sweep", "Log"),
]
SERIOUS = ("serious", "critical")


def findings(page: Any) -> list[str]:
    """What axe calls serious or critical, with where."""
    told = Axe().run(page).response["violations"]
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in told if found["impact"] in SERIOUS
    ]


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, site: Served, opens: Opens) -> Iterator[Editor]:
    """The editor with a workflow that ran, in each theme; axe is put into the page past its own rules."""
    editor = opens(site.url, color_scheme=request.param, bypass_csp=True)
    image = {"type": "EmptyImage", "inputs": {"width": 32, "height": 32}}
    show = {"type": "PreviewImage", "links": {"images": ["image", "image"]}}
    bad = {"type": "KSampler", "inputs": {}}
    editor.open(workflow({"image": image, "show": show}))
    editor.runs_to_the_end()
    editor.open(workflow({"image": image, "show": show, "bad": bad, "all": {"type": "testing.Widgets"}}))
    yield editor


def test_axe_finds_nothing_serious(themed: Editor) -> None:
    found = {"canvas": findings(themed.page)}
    for name in PANELS:
        themed.panel(name).wait_for()
        themed.page.wait_for_timeout(150)
        found[name] = findings(themed.page)
    themed.canvas.focus()
    themed.press("Tab")
    themed.page.locator(".filter-list").wait_for()
    found["search"] = findings(themed.page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_finds_nothing_serious_in_dialogs(themed: Editor) -> None:
    dialog = themed.page.get_by_role("dialog")
    found = {}
    themed.title("show").click(button="right")
    themed.page.get_by_role("menu").wait_for()
    found["menu"] = findings(themed.page)
    themed.press("Escape")
    themed.button("File").click()
    themed.page.get_by_role("menuitem").first.wait_for()
    found["file"] = findings(themed.page)
    themed.page.get_by_role("menuitem", name="Save as…").click()
    dialog.wait_for()
    found["save"] = findings(themed.page)
    themed.press("Escape")
    themed.socket("image", "image", "output").press("Enter")
    dialog.wait_for()
    found["connect"] = findings(themed.page)
    themed.press("Escape")
    themed.page.get_by_role("navigation", name="Workflows").get_by_role("button", name="Test").first.click()
    themed.panel("Results").get_by_role("button", name=re.compile("^View ")).first.click()
    dialog.wait_for()
    found["viewer"] = findings(themed.page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_finds_nothing_serious_where_a_mask_is_painted(themed: Editor) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(stream, "PNG")
    themed.drop("tomask.png", stream.getvalue())
    themed.page.locator(".image-widget img").wait_for()
    themed.button("Paint the mask").click()
    themed.page.get_by_role("dialog", name="Paint the mask").get_by_role("img", name="Mask of").wait_for()
    assert findings(themed.page) == []


def test_axe_finds_nothing_serious_in_a_conflict(themed: Editor, site: Served) -> None:
    """Someone else saves at the place of the workflow, and then it is saved here."""
    name = f"conflict {uuid4().hex}"
    themed.file("Save as…")
    dialog = themed.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(name)
    dialog.get_by_role("button", name="Save").click()
    themed.said(f"{name} saved")
    theirs = {"workflow": workflow({"number": {"type": "Integer"}})}
    site.ask("PUT", f"/api/v1/workflows/{quote(name)}", theirs)
    themed.page.get_by_role("button", name="Look at it").wait_for()
    found = {"notice": findings(themed.page)}
    themed.press("Control+S")
    themed.page.get_by_role("dialog", name="Saved by someone else").wait_for()
    found["conflict"] = findings(themed.page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_finds_nothing_serious_where_a_token_is_asked_for(site: Served, opens: Opens) -> None:
    editor = opens(site.url, bypass_csp=True)
    editor.page.route("**/api/v1/system", lambda route: route.fulfill(status=401, json={"status": 401}))
    editor.page.reload()
    editor.page.get_by_label("Token").wait_for()
    assert findings(editor.page) == []


def test_names_and_announcements(editor: Editor) -> None:
    editor.open(template())
    editor.canvas.focus()
    editor.press("]")
    editor.said(re.compile("inputs connected"))
    assert editor.page.get_by_label("ckpt_name").count() > 0
    for part in ("Canvas", "Workflows", "Run"):
        assert editor.page.get_by_label(part, exact=True).count() > 0


def test_the_focus_is_seen_and_f6_goes_round(editor: Editor) -> None:
    editor.canvas.focus()
    seen = set()
    for _ in range(4):
        editor.press("F6")
        seen.add(editor.page.evaluate("document.activeElement.closest('[data-region]')?.dataset.region"))
        outline = editor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    assert {"top", "canvas"} <= seen


def test_reduced_motion(site: Served, opens: Opens) -> None:
    editor = opens(site.url, reduced_motion="reduce")
    editor.open(template())
    moving = """[...document.querySelectorAll('*')].filter((element) => {
        const style = getComputedStyle(element);
        return parseFloat(style.transitionDuration) > 0.01 ||
            (style.animationName !== 'none' && parseFloat(style.animationDuration) > 0.01);
    }).map((element) => element.className)"""
    assert editor.page.evaluate(moving) == []


def test_zoomed_text(site: Served, opens: Opens) -> None:
    editor = opens(site.url, viewport={"width": 720, "height": 450}, device_scale_factor=2)
    overflow = "document.documentElement.scrollWidth <= innerWidth"
    assert editor.page.evaluate(overflow)
    for name in ("Run", "File"):
        box = editor.page.get_by_role("button", name=re.compile(f"^{name}")).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 720


CUT_OFF = """(inside) => [...document.querySelectorAll(inside)].filter((element) => {
    const style = getComputedStyle(element);
    const shortened = style.textOverflow === "ellipsis" || ["auto", "scroll"].includes(style.overflowY);
    return element.innerText.trim() && !shortened && (element.scrollWidth > element.clientWidth + 1
        || element.scrollHeight > element.clientHeight + 1);
}).map((element) => element.outerHTML.slice(0, 120))"""
"""Elements whose text does not fit into them."""


def test_text_twice_as_large_is_not_cut_off(site: Served, opens: Opens) -> None:
    editor = opens(site.url)
    editor.open(workflow({"show": {"type": "testing.Widgets"}}))
    editor.runs_to_the_end()
    editor.page.evaluate("document.documentElement.style.fontSize = '32px'")
    found = {"cards": editor.page.evaluate(CUT_OFF, ".card :is(button, input, h2, p)")}
    for name in PANELS:
        panel = editor.panel(name)
        panel.locator(".panel-body").wait_for()
        editor.page.wait_for_timeout(150)
        found[name] = editor.page.evaluate(CUT_OFF, ".panel :is(button, select, h2, .row)")
        if panel.evaluate("panel => panel.scrollWidth > panel.clientWidth"):
            found[name].append("it has to be scrolled sideways")
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_touch(site: Served, opens: Opens) -> None:
    editor = opens(site.url, has_touch=True)
    editor.open(workflow({"number": {"type": "Integer"}}))
    x, y = editor.place(editor.title("number"))
    editor.page.touchscreen.tap(x, y)
    editor.page.locator('.react-flow__node.selected [data-node="number"]').wait_for()
