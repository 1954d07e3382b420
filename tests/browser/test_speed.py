"""What the speed of the editor rests on: little to load, nothing mounted or rendered in vain."""

from __future__ import annotations

import gzip
import json
from typing import Any

from editing import Editor, Opens, template, workflow
from served import Served

MOST_BYTES = 350_000
MOST_REQUESTS = 20
CHANGES = """
(own) => {
    window.changed = new Set();
    new MutationObserver((records) => {
        for (const { target } of records) {
            const element = target instanceof Element ? target : target.parentElement;
            const card = element?.closest("[data-node]");
            if (card) window.changed.add(card.dataset.node);
        }
    }).observe(document.querySelector(".react-flow__nodes"),
               { subtree: true, childList: true, attributes: true, characterData: true });
}
"""


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


def test_typing_renders_its_own_card_alone(editor: Editor) -> None:
    document = template()
    editor.open(document)
    field = editor.field("positive", "text")
    field.click()
    editor.page.wait_for_timeout(800)
    editor.page.evaluate(CHANGES)
    for letter in "typed":
        editor.keyboard.press(letter)
    shown = editor.page.evaluate("[...window.changed]")
    assert "typed" in field.input_value()
    assert set(shown) <= {"positive"}
