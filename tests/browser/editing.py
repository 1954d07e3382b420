"""The editor as a person uses it: what is on the screen is found by the names that a screen reader says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
DROP = """
({name, type, content, selector, x, y}) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type}));
    const target = document.querySelector(selector);
    for (const kind of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
}
"""
TYPES = {".png": "image/png", ".json": "application/json"}


def workflow(nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow document; nodes without a place are put side by side."""
    placed = {
        id: {"ui": {"position": [40 + 320 * index, 80]}, **entry}
        for index, (id, entry) in enumerate(nodes.items())
    }
    return {"format": "nodegraph", "version": 1, "name": "Test", "nodes": placed, **more}


def template(name: str = "text_to_image") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((WORKFLOWS / f"{name}.json").read_text())
    return document


LISTENING = """
window.announced = [];
new MutationObserver((changes) => {
    const element = ({ target }) => target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
    const region = changes.map((change) => element(change)?.closest("[role=status]")).find(Boolean);
    if (region?.textContent) window.announced.push(region.textContent);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Keeps what is announced: one message may follow the other before anybody looks."""
RUN_ENDS = re.compile("The run is done|The run failed")


class Editor:
    """One window of the editor."""

    def __init__(self, page: Any, url: str, scripts: Sequence[str] = ()) -> None:
        """``scripts`` run in the page before its own."""
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        for script in (LISTENING, *scripts):
            page.add_init_script(script)
        self._heard = 0
        self.goto(url)

    def goto(self, url: str) -> None:
        self.page.goto(url)
        self.ready()

    def ready(self) -> None:
        """Wait until it can be worked with."""
        self.canvas.wait_for()
        self.page.locator(".react-flow__pane").wait_for()

    @property
    def canvas(self) -> Any:
        return self.page.get_by_role("region", name="Canvas")

    @property
    def keyboard(self) -> Any:
        return self.page.keyboard

    @property
    def mouse(self) -> Any:
        return self.page.mouse

    def button(self, name: str | re.Pattern[str]) -> Any:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait for something that no one element tells."""
        for _ in range(int(seconds * 10)):
            if condition():
                return
            self.page.wait_for_timeout(100)
        pytest.fail(f"never came: {what}")

    # Files

    def drop(self, name: str, content: bytes, selector: str = "[data-region=canvas]") -> None:
        """Drop a file from outside."""
        kind = TYPES.get(Path(name).suffix, "")
        text = base64.b64encode(content).decode()
        self.page.evaluate(DROP, {"name": name, "type": kind, "content": text, "selector": selector})

    def open(self, document: dict[str, Any], name: str = "test.json") -> None:
        """Open a workflow by dropping its file, and wait until its first node is there."""
        self.drop(name, json.dumps(document).encode())
        first = next(iter(document["nodes"]))
        self.card(first).or_(self.page.locator(".card.far").first).first.wait_for()
        self.fit()

    def file(self, entry: str) -> None:
        """Choose from the menu of files."""
        self.button("File").click()
        self.page.get_by_role("menuitem", name=entry).click()

    def save_as(self, name: str) -> None:
        """Save under a name, by the menu of files."""
        self.file("Save as…")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill(name)
        dialog.get_by_role("button", name="Save").click()
        self.said(f"{name} saved")

    def downloaded(self, entry: str) -> str:
        """What an entry of the menu of files gives to save."""
        with self.page.expect_download() as download:
            self.file(entry)
        return Path(download.value.path()).read_text()

    def document(self) -> dict[str, Any]:
        """The workflow in front, as it would be saved."""
        found: dict[str, Any] = json.loads(self.downloaded("Export JSON"))
        self.canvas.focus()
        return found

    def nodes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document().get("nodes", {})
        return found

    def of_type(self, type: str) -> str:
        """The id of the last node of a type."""
        return [id for id, node in self.nodes().items() if node["type"] == type][-1]

    # The canvas

    def card(self, id: str) -> Any:
        return self.page.locator(f'[data-node="{id}"]')

    def cards(self) -> Any:
        return self.page.locator("[data-node]")

    def title(self, id: str) -> Any:
        return self.card(id).locator(".card-title")

    def field(self, id: str, input: str) -> Any:
        return self.card(id).locator(f'[id="{id}.{input}"]')

    def socket(self, id: str, name: str, side: str = "input") -> Any:
        words = re.compile(rf"^{side.capitalize()} {re.escape(name)},")
        return self.card(id).get_by_role("button", name=words)

    def fit(self) -> None:
        self.canvas.focus()
        self.keyboard.press(".")
        self.still()

    def still(self) -> None:
        """Wait until the view no longer moves."""
        view = self.page.locator(".react-flow__viewport")
        before = None
        for _ in range(50):
            now = view.get_attribute("style")
            if now == before:
                return
            before = now
            self.page.wait_for_timeout(60)

    def place(self, found: Any) -> tuple[float, float]:
        """The middle of an element on the screen."""
        box = found.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, start: tuple[float, float], end: tuple[float, float], release: bool = True) -> None:
        self.mouse.move(*start)
        self.mouse.down()
        self.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.mouse.move(*end, steps=4)
        if release:
            self.mouse.up()

    def wire(self, source: tuple[str, str], target: tuple[str, str]) -> None:
        """Draw a wire with the mouse."""
        start = self.place(self.socket(*source, side="output"))
        self.drag(start, self.place(self.socket(*target)))

    def empty_place(self, x: float = 0.5, y: float = 0.85) -> tuple[float, float]:
        """A place on the canvas, in shares of its width and height."""
        box = self.canvas.bounding_box()
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    def add(self, words: str, at: tuple[float, float] | None = None) -> str:
        """Double-click, search, take the first; gives the id of the new node."""
        before = self.ids()
        self.mouse.dblclick(*(at or self.empty_place()))
        self.pick(words)
        self.until(lambda: bool(self.ids() - before), f"a card for {words}")
        self.still()
        (new,) = self.ids() - before
        return new

    def pick(self, words: str) -> None:
        """Type into the search that is open, and take the choice of exactly that name, else the first."""
        self.page.locator(".filter-list input").fill(words)
        self.page.locator(".filter-list [role=option]").first.click()

    def ids(self) -> set[str]:
        found: list[str] = self.cards().evaluate_all("cards => cards.map((card) => card.dataset.node)")
        return set(found)

    def select(self, *ids: str) -> None:
        """Click the first, and the others with Ctrl."""
        for index, id in enumerate(ids):
            self.title(id).click(modifiers=["Control"] if index else [])

    def menu(self, id: str, entry: str) -> None:
        """Choose from the context menu of a card."""
        self.title(id).click(button="right")
        self.page.get_by_role("menuitem", name=entry).first.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keyboard.press(key)

    # Running

    def run(self) -> None:
        self._heard = len(self.page.evaluate("window.announced"))
        self.button(re.compile(r"^Run( \(\d+\+?\))?$")).click()

    def said(self, words: str | re.Pattern[str], seconds: float = 120) -> str:
        """What was read out, once it says this."""
        told = self.page.get_by_role("status").get_by_text(words).first
        # one step: what was said is gone a moment later
        text: str = told.element_handle(timeout=seconds * 1000).inner_text()
        return text

    def done(self, seconds: float = 180) -> None:
        """Wait until a run that was not waited for before is over, and see that it did not fail."""
        ends: list[tuple[int, str]] = []

        def over() -> bool:
            told = self.page.evaluate("window.announced")
            heard = self._heard if len(told) >= self._heard else 0  # it was loaded anew
            ends[:] = [(at, text) for at, text in enumerate(told) if at >= heard and RUN_ENDS.search(text)]
            return bool(ends)

        self.until(over, "the end of the run", seconds)
        self._heard, text = ends[0][0] + 1, ends[0][1]
        assert "failed" not in text

    def runs_to_the_end(self, seconds: float = 180) -> None:
        self.run()
        self.done(seconds)

    def picture(self, id: str) -> Any:
        return self.card(id).locator("img.preview")

    def loaded(self, picture: Any) -> bool:
        """Whether a picture is there and could be read."""
        shown: bool = picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth > 0; }")
        return shown

    # Panels

    def option(self, name: str) -> Any:
        return self.page.locator(".filter-list [role=option]", has_text=name)

    def panel(self, name: str) -> Any:
        """A panel, opened if it is not."""
        button = self.page.get_by_role("button", name=name, exact=True)
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        panel = self.page.get_by_role("region", name=name, exact=True)
        panel.wait_for()
        return panel


Opens = Callable[..., Editor]
