"""From an empty canvas to a picture: with the mouse, with the keyboard alone, by dropping a file."""

from __future__ import annotations

import re
from typing import Any

from editing import Editor

NODES = {
    "CheckpointLoaderSimple": (0.1, 0.2),
    "CLIPTextEncode": (0.32, 0.1),
    "EmptyLatentImage": (0.1, 0.6),
    "KSampler": (0.55, 0.15),
    "VAEDecode": (0.78, 0.15),
    "SaveImage": (0.78, 0.5),
}


def test_with_the_mouse(editor: Editor) -> None:
    editor.mouse.move(*editor.empty_place(0.5, 0.5))
    for _ in range(3):
        editor.mouse.wheel(0, 120)
    editor.still()
    ids = {name: editor.add(name, editor.empty_place(*place)) for name, place in NODES.items()}
    negative = editor.add("CLIPTextEncode", editor.empty_place(0.32, 0.55))
    loader, positive, latent, sampler, decode, save = ids.values()
    editor.fit()
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
    editor.field(positive, "text").click()
    editor.keyboard.type("a red apple on a blue background")
    for input, value in (("width", "128"), ("height", "128")):
        editor.field(latent, input).click()
        editor.keyboard.press("Control+A")
        editor.keyboard.type(value)
        editor.keyboard.press("Enter")
    editor.run()
    editor.done()
    assert editor.loaded(editor.picture(save))
