"""The editor in headless Chromium: time until it can be used, a large workflow opened, panned and zoomed.

``python tests/benchmarks/bench_editor.py``; baselines of the same run: an empty page of the same browser, and
as many plain boxes as the workflow has nodes, moved by the same gestures. On a machine that does other work
too, run it before everything else (``chrt -r 10``).
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from playwright.sync_api import sync_playwright
from server_support import percentile, serving

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from editing import Editor, template

ROUNDS = 5
NODES = 1000
SIZE = {"width": 1440, "height": 900}
COPIES_ACROSS = 12
COPY_SIZE = (1640, 740)
SECONDS = 4
MOST_REQUESTS, MOST_BYTES = 20, 350_000
GESTURES = (
    ("panning, cards to be read", "pan", 0.9),
    ("panning, many cards", "pan", 0.46),
    ("panning, from afar", "pan", 0.1),
    ("zooming in and out", "zoom", 0.1),
)
BOXES = """
<style>
    body { margin: 0; overflow: hidden }
    .pane, .plane { position: absolute; inset: 0 }
    .plane { transform-origin: 0 0; pointer-events: none }
    .box { position: absolute; width: 240px; height: 200px; border: 1px solid; border-radius: 6px }
</style>
<div class="pane react-flow__pane"></div><div class="plane"></div>
"""
MOVE_BOXES = """
(places) => {
    const plane = document.querySelector(".plane");
    for (const [x, y] of places) {
        const box = document.createElement("div");
        box.className = "box";
        box.style.transform = `translate(${x}px, ${y}px)`;
        plane.append(box);
    }
    let [x, y, zoom] = [0, 0, 1];
    const show = () => { plane.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`; };
    addEventListener("mousemove", (event) => {
        if (event.buttons !== 1) return;
        [x, y] = [x + event.movementX, y + event.movementY];
        show();
    });
    addEventListener("wheel", (event) => {
        const next = Math.min(3, Math.max(0.08, zoom * 2 ** (-event.deltaY * 0.002)));
        x = event.clientX - (event.clientX - x) * (next / zoom);
        y = event.clientY - (event.clientY - y) * (next / zoom);
        zoom = next;
        show();
    });
}
"""
FRAMES = """
([gesture, seconds]) => new Promise((resolve) => {
    const pane = document.querySelector(".react-flow__pane");
    const [left, top, radius] = [720, 450, 350];
    const common = { bubbles: true, cancelable: true, view: window };
    const at = (angle) => [left + radius * Math.sin(angle), top + radius * Math.sin(angle * 0.73)];
    let before = at(0);
    const drag = (type, angle) => {
        const [clientX, clientY] = at(angle);
        const moved = { movementX: clientX - before[0], movementY: clientY - before[1] };
        before = [clientX, clientY];
        const button = { button: 0, buttons: type === "mouseup" ? 0 : 1 };
        pane.dispatchEvent(new MouseEvent(type, { ...common, ...button, ...moved, clientX, clientY }));
    };
    const zoom = (frame) => {
        const deltaY = frame % 120 < 60 ? 30 : -30;
        pane.dispatchEvent(new WheelEvent("wheel", { ...common, deltaY, clientX: left, clientY: top }));
    };
    const times = [];
    let frame = 0, last;
    if (gesture === "pan") drag("mousedown", 0);
    const step = (now) => {
        if (last !== undefined) times.push(now - last);
        last = now;
        frame += 1;
        if (gesture === "pan") drag("mousemove", frame / 18);
        if (gesture === "zoom") zoom(frame);
        if (times.reduce((sum, time) => sum + time, 0) < seconds * 1000) return requestAnimationFrame(step);
        if (gesture === "pan") drag("mouseup", frame / 18);
        resolve(times);
    };
    requestAnimationFrame(step);
})
"""
READABLE = """
() => document.querySelector("[data-node]") !== null && document.querySelector(".card.far") === null
"""
ZOOM = "() => new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def large() -> dict[str, Any]:
    """Text to image again and again, each copy wired as the template is, until there are enough nodes."""
    nodes: dict[str, Any] = {}
    for copy in range(NODES // 7 + 1):
        column, row = copy % COPIES_ACROSS, copy // COPIES_ACROSS
        for id, entry in template()["nodes"].items():
            x, y = entry["ui"]["position"]
            place = [x + column * COPY_SIZE[0], y + row * COPY_SIZE[1]]
            given = entry.get("links", {}).items()
            links = {name: [f"{source}{copy}", output] for name, (source, output) in given}
            nodes[f"{id}{copy}"] = {**entry, "links": links, "ui": {**entry["ui"], "position": place}}
    kept = dict(list(nodes.items())[:NODES])
    return {"format": "nodegraph", "version": 1, "name": "Large", "nodes": kept}


class Browser:
    """Chromium, and what is measured in it."""

    def __init__(self, chromium: Any, url: str) -> None:
        self.chromium, self.url = chromium, url

    def page(self) -> Any:
        """A page that has seen nothing yet."""
        return self.chromium.new_context(viewport=SIZE).new_page()

    def first_use(self, url: str, selector: str) -> float:
        """Seconds from the address to something of a page."""
        page = self.page()
        begin = perf_counter()
        page.goto(url, wait_until="commit")
        page.locator(selector).first.wait_for()
        page.evaluate(PAINTED)
        passed = perf_counter() - begin
        page.context.close()
        return passed

    def loads(self) -> tuple[int, int]:
        """How many requests the editor makes, and the bytes of its scripts, packed."""
        page = self.page()
        answers: list[Any] = []
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
        page.goto(self.url)
        page.wait_for_load_state("networkidle")
        scripts = [answer.body() for answer in answers if answer.request.resource_type == "script"]
        page.context.close()
        return len(answers), sum(len(gzip.compress(script, 9)) for script in scripts)

    def editor(self) -> Editor:
        editor = Editor(self.page(), self.url)
        editor.page.wait_for_load_state("networkidle")
        return editor

    def boxes(self) -> Any:
        """As many plain boxes as the workflow has nodes, at their places."""
        page = self.page()
        page.set_content(BOXES)
        places = [entry["ui"]["position"] for entry in large()["nodes"].values()]
        page.evaluate(MOVE_BOXES, places)
        return page


def opening(editor: Editor) -> float:
    """Seconds from the drop of the file until each card in view can be read."""
    content = json.dumps(large()).encode()
    begin = perf_counter()
    editor.drop("large.json", content)
    editor.page.wait_for_function(READABLE)
    editor.page.evaluate(PAINTED)
    return perf_counter() - begin


def showing_boxes(browser: Browser) -> float:
    begin = perf_counter()
    page = browser.boxes()
    page.evaluate(PAINTED)
    passed = perf_counter() - begin
    page.context.close()
    return passed


def often(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(ROUNDS))


def frames(page: Any, gesture: str) -> tuple[float, float]:
    """Median and 95th percentile of the time of a frame, in ms; of each the median over the rounds."""
    page.bring_to_front()
    rounds = [page.evaluate(FRAMES, [gesture, SECONDS]) for _ in range(ROUNDS)]
    return median(map(median, rounds)), median(percentile(times, 0.95) for times in rounds)


def at_zoom(editor: Editor, zoom: float) -> None:
    """Near the middle of the workflow, at about a zoom."""
    editor.fit()
    for _ in range(40):
        if editor.page.evaluate(ZOOM) >= zoom:
            break
        editor.press("+")
        editor.still()
    editor.page.wait_for_timeout(1000)


def row(what: str, measured: str, baseline: str, goal: str = "") -> None:
    print(f"| {what} | {measured} | {baseline} | {goal} |", flush=True)


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("this needs chromium")
    with serving() as served, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        browser = Browser(chromium, served.url)
        print("| what | editor | baseline | goal |\n|---|---:|---:|---:|")
        report_loading(browser)
        report_opening(browser)
        report_frames(browser)
        chromium.close()


def report_loading(browser: Browser) -> None:
    requests, size = browser.loads()
    row("requests of the first load", str(requests), "", f"{MOST_REQUESTS}")
    row("its scripts, kB packed", f"{size / 1000:.0f}", "", f"{MOST_BYTES / 1000:.0f}")
    usable = often(lambda: browser.first_use(browser.url, ".react-flow__pane"))
    bare = often(lambda: browser.first_use(f"{browser.url}/icon.svg", "svg"))
    row("until it can be used, s", f"{usable:.2f}", f"{bare:.2f} (a picture)", "1.5")


def report_opening(browser: Browser) -> None:
    editors = [browser.editor() for _ in range(ROUNDS)]
    opened = [opening(editor) for editor in editors]
    for editor in editors:
        editor.page.context.close()
    boxes = often(lambda: showing_boxes(browser))
    row(f"{NODES} nodes opened, s", f"{median(opened):.2f}", f"{boxes:.2f} ({NODES} boxes)", "2")


def report_frames(browser: Browser) -> None:
    editor, boxes = browser.editor(), browser.boxes()
    opening(editor)
    editor.page.wait_for_timeout(3000)
    for what, gesture, zoom in GESTURES:
        at_zoom(editor, zoom)
        mounted = editor.page.locator(".react-flow__node").count()
        one, other = frames(editor.page, gesture), frames(boxes, gesture)
        told = [f"{middle:.1f}, {slow:.1f}" for middle, slow in (one, other)]
        row(f"frame {what} ({mounted} mounted), p50 and p95, ms", *told, "p95 33")


if __name__ == "__main__":
    main()
