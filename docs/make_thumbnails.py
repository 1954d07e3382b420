"""Make the pictures of the templates, ``workflows/pictures/<name>.webp``, by running the workflows.

Where ``docs/images`` has what a workflow made, that is used. Those that need weights of one's own have none.

``python docs/make_thumbnails.py [NAME ...]``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from nodegraph.engine import Engine
from nodegraph.errors import errors_among
from nodegraph.locations import default_folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import load_workflow

WORKFLOWS = Path(__file__).resolve().parent.parent / "workflows"
IMAGES = Path(__file__).parent / "images"
SIZE = 256
LARGEST = 30_000
QUALITIES = (90, 80, 70, 60, 50)


def main(names: list[str]) -> None:
    wanted = [WORKFLOWS / f"{name}.json" for name in names] or sorted(WORKFLOWS.glob("*.json"))
    registry = NodeRegistry.with_plugins()
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        folders = default_folders(registry, cache, output=Path(folder, "output"))
        engine = Engine.create(registry=registry, folders=folders, cache_folder=cache)
        for path in wanted:
            print(path.stem, make_thumbnail(engine, path), flush=True)


def make_thumbnail(engine: Engine, path: Path) -> str:
    """Keep what a workflow makes as a small picture; what came of it."""
    made = IMAGES / f"{path.stem}.png"
    if not made.is_file():
        workflow = load_workflow(path, engine.registry)
        if errors := errors_among(engine.validate(workflow)):
            return f"has no picture: {errors[0]}"
        made = Path(engine.run_sync(workflow).or_raise().files[0].path)
    target = WORKFLOWS / "pictures" / f"{path.stem}.webp"
    target.parent.mkdir(exist_ok=True)
    with Image.open(made) as picture:
        save_small(picture.convert("RGB"), target)
    return f"{target.stat().st_size} bytes"


def save_small(picture: Image.Image, target: Path) -> None:
    """Save a picture no wider or higher than ``SIZE``, in the best quality that is small enough."""
    picture.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        picture.save(target, "WEBP", quality=quality, method=6)
        if target.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{target} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
