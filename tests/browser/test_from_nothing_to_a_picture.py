"""From an empty canvas to a picture: with the mouse, with the keyboard alone, by dropping a file."""

from __future__ import annotations

from editing import Editor, template
from served import Served

PLACES = {
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
    ids = [editor.add(name, editor.empty_place(*place)) for name, place in PLACES.items()]
    loader, positive, latent, sampler, decode, save = ids
    negative = editor.add("CLIPTextEncode", editor.empty_place(0.32, 0.55))
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
    for input in ("width", "height"):
        editor.field(latent, input).click()
        editor.press("Control+A")
        editor.keyboard.type("128")
        editor.press("Enter")
    editor.runs_to_the_end()
    assert editor.loaded(editor.picture(save))


def test_with_the_keyboard_alone(editor: Editor) -> None:
    """No key waits for what the one before it did."""

    def choose(words: str) -> None:
        editor.keyboard.type(words)
        editor.press("Enter")

    def add(words: str) -> None:
        editor.press("Tab")
        choose(words)

    def go_to(field: str) -> None:
        for _ in range(30):
            if editor.page.evaluate("document.activeElement.id").endswith(f".{field}"):
                return
            editor.press("Tab")
        raise AssertionError(f"Tab does not lead to {field}")

    def connect(words: str, way: str = "Shift+C") -> None:
        editor.press(way)
        choose(words)

    editor.canvas.focus()
    add("CheckpointLoaderSimple")
    add("CLIPTextEncode")
    connect("clip ← Load Checkpoint")
    editor.press("Enter")  # into the card
    go_to("text")
    editor.keyboard.type("a red apple on a blue background")
    editor.press("Escape")
    add("CLIPTextEncode")
    connect("clip ← Load Checkpoint")
    add("EmptyLatentImage")
    editor.press("Enter")
    for name in ("width", "height"):
        go_to(name)
        editor.press("Control+A")
        editor.keyboard.type("128")
        editor.press("Enter")
    editor.press("Escape")
    add("KSampler")
    connect("model ← Load Checkpoint")
    connect("latent_image ← Empty Latent")
    connect("positive ← CLIP")
    editor.press("Shift+C")
    editor.keyboard.type("negative ← CLIP")
    editor.press("ArrowDown", "Enter")
    add("VAEDecode")
    connect("samples ← KSampler")
    connect("vae ← Load Checkpoint")
    add("SaveImage")
    connect("images ← VAE Decode")
    editor.press("Control+Enter")
    editor.done()
    assert editor.loaded(editor.picture(editor.of_type("SaveImage")))
    links = editor.nodes()[editor.of_type("KSampler")]["links"]
    assert links["positive"] != links["negative"]


def test_by_dropping_a_picture(editor: Editor, site: Served) -> None:
    document = template()
    job = site.submit(document["nodes"], wait=90)
    (file,) = (value["file"] for value in job["result"]["outputs"]["save"]["files"])
    editor.drop("picture.png", site.ask("GET", file["url"]).body)
    editor.card("save").wait_for()
    assert set(editor.nodes()) == set(document["nodes"])
    editor.runs_to_the_end()
    assert editor.loaded(editor.picture("save"))
