"""What the speed of the editor rests on: little to load, nothing mounted or rendered in vain."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any
from uuid import uuid4

from editing import Editor, Opens, template, workflow
from served import Served

MOST_BYTES = 350_000
MOST_REQUESTS = 20
RENDERS = """
window.rendered = [];
const RENDERED = 1, HOST = 5, COMPONENTS = [0, 11, 14, 15];
const note = (fiber) => {
    const drawn = (one) => one.tag === HOST && one.stateNode.dataset?.id;
    let [outer, inner] = [fiber, fiber];
    while (outer && !drawn(outer)) outer = outer.return;
    while (inner && inner.tag !== HOST) inner = inner.child;
    const host = outer ?? inner;
    if (host && drawn(host)) window.rendered.push(host.stateNode.dataset.id);
};
const look = (fiber, before) => {
    if (fiber === before || before === null) return;
    if (COMPONENTS.includes(fiber.tag) && fiber.flags & RENDERED) note(fiber);
    if (fiber.child === before.child) return;
    for (let child = fiber.child; child; child = child.sibling) {
        const left = [];
        for (let old = before.child; old; old = old.sibling) left.push(old);
        if (!left.includes(child)) look(child, child.alternate);
    }
};
window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true, isDisabled: false, inject: () => 1, onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {}, onCommitFiberRoot: (_, root) => look(root.current, root.current.alternate),
};
"""
"""Notes the cards and wires of which React renders something anew, as its developer tools tell it: a
component that ran is marked, and what was left alone is the same object as before."""


def grid(count: int, across: int = 40) -> dict[str, Any]:
    nodes = {
        f"n{index}": {
            "type": "CLIPTextEncode",
            "inputs": {"text": str(index)},
            "ui": {"position": [index % across * 320, index // across * 260]},
        }
        for index in range(count)
    }
    return workflow(nodes)


def test_the_first_load_is_small(site: Served, opens: Opens) -> None:
    answers: list[Any] = []
    fresh = opens(site.url)
    fresh.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
    fresh.page.goto("about:blank")
    cdp = fresh.page.context.new_cdp_session(fresh.page)
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    fresh.goto(site.url)
    fresh.page.wait_for_load_state("networkidle")
    scripts = [one for one in answers if one.request.resource_type == "script"]
    packed = sum(len(gzip.compress(one.body(), 9)) for one in scripts)
    assert 0 < packed <= MOST_BYTES
    assert len(answers) <= MOST_REQUESTS


def test_cards_off_screen_are_not_mounted(editor: Editor) -> None:
    editor.drop("grid.json", json.dumps(grid(400)).encode())
    editor.page.locator(".card").first.wait_for()
    editor.fit()
    for _ in range(14):
        editor.press("+")
    editor.still()
    assert 0 < editor.page.locator(".react-flow__node").count() < 100


def test_typing_renders_its_own_card_alone(site: Served, opens: Opens) -> None:
    editor = opens(site.url, scripts=[RENDERS])
    editor.open(template())
    field = editor.field("positive", "text")
    with editor.page.expect_response("**/api/v1/plan"):
        field.fill(f"{uuid4().hex} ")  # what comes after it is not cached then, nor when more is typed
    editor.button(re.compile(r"^Run \(\d+\)$")).wait_for()
    editor.page.wait_for_timeout(800)
    field.press("End")
    editor.page.evaluate("window.rendered.length = 0")
    with editor.page.expect_response("**/api/v1/plan"):
        for letter in "typed":
            editor.keyboard.press(letter)
    editor.page.wait_for_timeout(300)  # what the server tells of it is shown, too
    assert "typed" in field.input_value()
    assert set(editor.page.evaluate("window.rendered")) == {"positive"}
