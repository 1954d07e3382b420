"""Make the pictures of the editor in ``docs/images``: three screenshots and an animation.

A real server runs, and Debian's Chromium shows what a person would see. Needs what the tests need.

``python docs/make_screenshots.py``
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "server"))

from editing import Editor, template
from served import Served

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1280, "height": 800}
LARGEST = 1_500_000
PLACES = {
    "CheckpointLoaderSimple": (0.06, 0.2),
    "CLIPTextEncode": (0.28, 0.1),
    "EmptyLatentImage": (0.06, 0.58),
    "KSampler": (0.52, 0.12),
    "VAEDecode": (0.76, 0.12),
    "SaveImage": (0.76, 0.4),
}


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("this needs chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = Served(Path(folder)).start()
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            finished(opened(browser, served.url, "light"), "editor_light")
            finished(opened(browser, served.url, "dark"), "editor_dark")
            searching(opened(browser, served.url, "light"))
            building(opened(browser, served.url, "light"))
        finally:
            browser.close()
            served.end()


def opened(browser: Any, url: str, theme: str) -> Editor:
    context = browser.new_context(viewport=SIZE, color_scheme=theme)
    context.set_default_timeout(120_000)
    return Editor(context.new_page(), url)


def keep(editor: Editor, name: str) -> None:
    """A screenshot as WebP, without loss where that is small enough."""
    with Image.open(io.BytesIO(editor.page.screenshot())) as shot:
        shot.convert("RGB").save(IMAGES / f"{name}.webp", "WEBP", quality=90, method=6)


def finished(editor: Editor, name: str) -> None:
    """Text to image after its run."""
    editor.open(template())
    editor.runs_to_the_end(300)
    editor.picture("save").wait_for()
    editor.fit()
    editor.page.wait_for_timeout(5000)  # until what was said is gone
    keep(editor, name)


def searching(editor: Editor) -> None:
    """The search over nodes, with the library of nodes and the history beside the canvas."""
    editor.open(template())
    editor.panel("Nodes")
    editor.panel("History")
    editor.fit()
    editor.press("Tab")
    editor.page.locator(".filter-list input").fill("image")
    editor.page.wait_for_timeout(1500)
    keep(editor, "editor_search")


def building(editor: Editor) -> None:
    """An animation: from an empty canvas to a picture."""
    frames: list[tuple[Image.Image, int]] = []

    def take(milliseconds: int) -> None:
        with Image.open(io.BytesIO(editor.page.screenshot())) as shot:
            frames.append((shot.convert("RGB").resize((960, 600), Image.Resampling.LANCZOS), milliseconds))

    editor.mouse.move(*editor.empty_place(0.5, 0.5))
    for _ in range(3):
        editor.mouse.wheel(0, 120)
    editor.still()
    take(600)
    ids = []
    for name, place in PLACES.items():
        editor.mouse.dblclick(*editor.empty_place(*place))
        editor.page.locator(".filter-list input").fill(name)
        take(500)
        editor.press("Escape")
        ids.append(editor.add(name, editor.empty_place(*place)))
        take(350)
    loader, positive, latent, sampler, decode, save = ids
    negative = editor.add("CLIPTextEncode", editor.empty_place(0.28, 0.48))
    editor.fit()
    take(500)
    for source, target in (
        ((loader, "clip"), (positive, "clip")),
        ((loader, "clip"), (negative, "clip")),
        ((loader, "model"), (sampler, "model")),
        ((positive, "conditioning"), (sampler, "positive")),
        ((negative, "conditioning"), (sampler, "negative")),
        ((latent, "latent"), (sampler, "latent_image")),
        ((sampler, "latent"), (decode, "samples")),
        ((loader, "vae"), (decode, "vae")),
        ((decode, "image"), (save, "images")),
    ):
        editor.wire(source, target)
        take(250)
    editor.field(positive, "text").fill("a red apple on a blue background")
    take(500)
    for advice in ("Use width 128, height 128", "Use cfg 2.5"):
        editor.card(sampler).get_by_role("button", name=advice).click()
        take(500)
    editor.run()
    for _ in range(200):
        take(150)
        if editor.picture(save).count():
            break
        editor.page.wait_for_timeout(250)
    editor.fit()
    take(3000)
    animate(frames)


def animate(frames: list[tuple[Image.Image, int]]) -> None:
    pictures, times = [picture for picture, _ in frames], [time for _, time in frames]
    target = IMAGES / "editor_building.webp"
    options: dict[str, Any] = {"save_all": True, "append_images": pictures[1:], "duration": times, "loop": 0}
    for quality in (80, 60, 40, 20):
        pictures[0].save(target, "WEBP", quality=quality, method=4, minimize_size=True, **options)
        if target.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{target} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main()
