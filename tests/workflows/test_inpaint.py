"""Inpainting as the templates show it: what the mask covers is another thing, the rest is as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import nodes
from nodegraph import locations
from nodegraph.engine import Engine
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import read_workflow

FOLDER = Path(__file__).parents[2] / "workflows"
PICTURE = Path(nodes.__file__).parent / "inputs/red_apple_hole.png"
STEPS = {"inpaint": ("sampler", 8), "repaint": ("levels", 6)}
MIDDLE, CORNER = (slice(50, 90), slice(40, 90)), (slice(0, 12), slice(90, 128))


def colour_of(picture: Path, part: tuple[slice, slice]) -> NDArray[np.float64]:
    with Image.open(picture) as image:
        mean: NDArray[np.float64] = np.asarray(image.convert("RGB"))[part].mean(axis=(0, 1))
        return mean


@pytest.mark.parametrize("name", STEPS)
def test_the_apple_turns_green_before_the_same_blue(name: str, tmp_path: Path) -> None:
    registry = NodeRegistry.with_plugins()
    folders = locations.default_folders(registry, tmp_path / "cache", output=tmp_path / "output")
    engine = Engine.create(registry=registry, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    node, steps = STEPS[name]
    workflow = read_workflow(FOLDER / f"{name}.json").with_input(node, "steps", steps)
    made = Path(engine.run_sync(workflow).or_raise().files[0].path)
    red, green, _ = colour_of(PICTURE, MIDDLE)
    assert red > green + 100
    red, green, _ = colour_of(made, MIDDLE)
    assert green > red
    assert np.abs(colour_of(made, CORNER) - colour_of(PICTURE, CORNER)).max() < 60
