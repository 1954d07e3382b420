"""A picture does not depend on the batch it was made in, through the whole engine."""

from __future__ import annotations

from pathlib import Path

import torch

from nodegraph.engine import Engine
from nodegraph.workflow import read_workflow

TEXT_TO_IMAGE = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
BATCH = 3


def pixels(engine: Engine, seed: int, batch: int) -> torch.Tensor:
    workflow = read_workflow(TEXT_TO_IMAGE).with_input("sampler", "seed", seed)
    workflow = workflow.with_input("latent", "batch_size", batch)
    result = engine.run_sync(workflow, targets=["decode"])
    found: torch.Tensor = result.outputs["decode"]["image"].pixels
    return found


def test_an_item_of_a_batch_is_the_picture_made_alone_with_its_seed(tmp_path: Path) -> None:
    engine = Engine.create(cache_folder=tmp_path, device="cpu")
    together = pixels(engine, 40, BATCH)
    for item in range(BATCH):
        alone = pixels(engine, 40 + item, 1)
        assert (together[item] - alone[0]).abs().max() * 255 < 0.05
