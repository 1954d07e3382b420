"""The editor in headless Chromium: time until it can be used, a large workflow opened, panned and zoomed.

``python tests/benchmarks/bench_editor.py``; the baseline of the same run is an empty page of the same server.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from playwright.sync_api import sync_playwright
from server_support import percentile, serving

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from editing import Editor

ROUNDS = 5
NODES = 1000
ACROSS = 40
FRAMES = """
() => new Promise((resolve) => {
    const times = [];
    let last = performance.now();
    const end = last + 3000;
    const pane = document.querySelector(".react-flow__pane");
    const step = (now) => {
        times.push(now - last);
        last = now;
        const place = { bubbles: true, cancelable: true, clientX: 700, clientY: 450 };
        const zoom = times.length % 60 < 30 ? -20 : 20;
        pane.dispatchEvent(new WheelEvent("wheel", { ...place, deltaY: zoom, ctrlKey: false }));
        now < end ? requestAnimationFrame(step) : resolve(times.slice(2));
    };
    requestAnimationFrame(step);
})
"""


def large() -> dict[str, Any]:
    """A chain of samplers' worth of cards: each wired to the one before it."""
    nodes = {}
    for index in range(NODES):
        place = [index % ACROSS * 320, index // ACROSS * 320]
        links = {"a": [f"n{index - 1}", "sum"]} if index else {}
        inputs = {"a": 0, "b": index}
        nodes[f"n{index}"] = {
            "type": "AddIntegers",
            "inputs": inputs,
            "links": links,
            "ui": {"position": place},
        }
    return {"format": "nodegraph", "version": 1, "name": "Large", "nodes": nodes}


def seconds_to(page: Any, url: str, selector: str) -> float:
    begin = perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(selector).first.wait_for()
    return perf_counter() - begin


def first_use(browser: Any, url: str, selector: str) -> float:
    """The median time from the address to something of a page, each time in a browser that kept nothing."""
    times = []
    for _ in range(ROUNDS):
        context = browser.new_context()
        times.append(seconds_to(context.new_page(), url, selector))
        context.close()
    return median(times)


def opening(editor: Editor) -> float:
    content = json.dumps(large()).encode()
    begin = perf_counter()
    editor.drop("large.json", content)
    editor.page.locator(".react-flow__node").first.wait_for()
    return perf_counter() - begin


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("this needs chromium")
    with serving() as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        bare = first_use(browser, f"{served.url}/api/v1/openapi.json", "body")
        usable = first_use(browser, served.url, ".react-flow__pane")
        editor = Editor(browser.new_context(viewport={"width": 1440, "height": 900}).new_page(), served.url)
        editor.page.wait_for_load_state("networkidle")
        opened = opening(editor)
        editor.page.wait_for_timeout(1500)
        empty = Editor(browser.new_context().new_page(), served.url)
        baseline = empty.page.evaluate(FRAMES)
        editor.page.bring_to_front()
        frames = editor.page.evaluate(FRAMES)
        mounted = editor.page.locator(".react-flow__node").count()
        browser.close()
    print("| what | editor | baseline |\n|---|---:|---:|")
    print(f"| until it can be used, s | {usable:.2f} | {bare:.2f} (a page of text) |")
    print(f"| {NODES} nodes opened, s | {opened:.2f} | |")
    print(
        f"| frame while zooming, median and p95, ms | {median(frames):.1f}, {percentile(frames, 0.95):.1f} "
        f"| {median(baseline):.1f}, {percentile(baseline, 0.95):.1f} (an empty canvas) |"
    )
    print(f"| cards mounted afterwards | {mounted} | {NODES} |")


if __name__ == "__main__":
    main()
