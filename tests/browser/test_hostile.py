"""Nothing that others wrote runs as a script: names, documentation, files, pictures, results."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from editing import Editor, Opens, workflow
from packs import write_packs
from PIL import Image, PngImagePlugin
from served import Served

MARKUP = "<img src=x onerror=\"window.ran='yes'\"><script>window.ran='yes'</script>"
LINK = "javascript:window.ran='yes'"
SCRIPT = "<script>window.ran='yes'</script>"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"window.ran='yes'\">{SCRIPT}</svg>"
PACK = f'''
from typing import Annotated
from pydantic import Field
from nodegraph import node, Widget

@node(category={MARKUP!r}, terminal=True)
def Hostile(text: Annotated[str, Field(description={MARKUP!r})] = {MARKUP!r}) -> str:
    """{MARKUP.replace('"', "'")}

    Args:
        text: {MARKUP}
    """
    return text
'''


@pytest.fixture
def hostile(opens: Opens, site: Served) -> Editor:
    editor = opens(site.url)
    # the guards must hold by themselves; whether the page would even try is what is asked here
    editor.page.on("dialog", lambda dialog: editor.errors.append(dialog.message))
    return editor


def unharmed(editor: Editor) -> bool:
    editor.page.wait_for_timeout(300)
    return bool(editor.page.evaluate("window.ran === undefined"))


def document() -> dict[str, Any]:
    node = {"type": "testing.Slow", "inputs": {"steps": 1, "salt": MARKUP}}
    odd = {
        MARKUP: {**node, "ui": {"title": MARKUP, "color": LINK, "position": [0, 0]}},
        "gone": {"type": MARKUP, "pack": MARKUP, "ui": {"position": [400, 0]}},
    }
    groups = [{"id": "g", "title": MARKUP, "position": [0, 300], "size": [300, 200], "color": LINK}]
    return {
        **workflow({}, name=MARKUP, description=MARKUP),
        "nodes": odd,
        "ui": {"groups": groups},
    }


def test_a_workflow(hostile: Editor) -> None:
    hostile.drop("x.json", json.dumps(document()).encode())
    hostile.page.locator(".card").first.wait_for()
    hostile.run()
    for panel in ("Queue", "History", "Results", "Log"):
        hostile.panel(panel)
        assert unharmed(hostile), panel


def test_a_picture_with_a_workflow(hostile: Editor) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("nodegraph", json.dumps(document()))
    info.add_text("workflow", json.dumps(document()))
    stream = BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG", pnginfo=info)
    hostile.drop(f"{MARKUP.replace('/', '')}.png", stream.getvalue())
    assert unharmed(hostile)


def test_a_node_and_its_documentation(tmp_path: Any, opens: Opens) -> None:
    served = Served(tmp_path)
    write_packs(served.plugins)
    (served.plugins / "hostile.py").write_text(PACK)
    try:
        editor = opens(served.start().url)
        types = served.ask("GET", "/api/v1/nodes").json
        assert "hostile.Hostile" in json.dumps(types)
        editor.open(workflow({"it": {"type": "hostile.Hostile"}}))
        editor.runs_to_the_end()
        panel = editor.panel("Nodes")
        panel.locator("summary").first.click()
        editor.canvas.focus()
        editor.press("Tab")
        editor.page.locator(".filter-list input").fill("Hostile")
        assert unharmed(editor)
    finally:
        served.end()


def test_names_of_files(hostile: Editor, site: Served) -> None:
    name = MARKUP.replace("/", "")
    hostile.open(workflow({"number": {"type": "Integer"}}))
    hostile.file("Save as…")
    hostile.page.get_by_role("dialog").get_by_role("textbox").fill(name)
    hostile.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    assert unharmed(hostile)
    hostile.press("Escape")  # where the server takes no such name, the question is still open
    hostile.panel("Workflows")
    assert unharmed(hostile)


def test_a_drawing_as_a_result(hostile: Editor, site: Served) -> None:
    (site.folder / "output").mkdir(exist_ok=True)
    (site.folder / "output" / "drawing.svg").write_text(SVG)
    hostile.open(workflow({"text": {"type": "testing.Fails", "inputs": {"text": SVG}}}))
    hostile.run()
    hostile.card("text").get_by_role("alert").wait_for()
    answer = hostile.page.goto(f"{site.url}/api/v1/files/output/drawing.svg")
    assert unharmed(hostile)
    assert answer is None or answer.status in (200, 404)


def test_the_policy_allows_no_inline_script(site: Served) -> None:
    policy = site.ask("GET", "/").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if " " in rule.strip())
    scripts = rules.get("script-src", rules["default-src"])
    assert "unsafe" not in scripts and "'self'" in scripts
    assert (
        rules["object-src"] == "'none'"
        if "object-src" in rules
        else rules["default-src"] in ("'self'", "'none'")
    )


def test_what_is_injected_does_not_run(hostile: Editor) -> None:
    hostile.page.evaluate(
        """markup => {
            const place = document.createElement("div");
            place.innerHTML = markup;
            document.body.append(place);
            const script = document.createElement("script");
            script.textContent = "window.ran = 'yes'";
            document.body.append(script);
        }""",
        MARKUP,
    )
    assert unharmed(hostile)
