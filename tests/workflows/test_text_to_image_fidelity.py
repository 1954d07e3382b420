"""text_to_image.json, run by the engine, is the picture a straight diffusers pipeline makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

import nodes
from nodegraph.engine import Engine
from nodegraph.workflow import read_workflow

WORKFLOW = read_workflow(Path(__file__).parents[2] / "workflows" / "text_to_image.json")
CHECKPOINT = Path(nodes.__file__).parent / "models" / "checkpoints" / "emoji-sd"
TOLERANCE = 1 / 255
KARRAS = {"use_karras_sigmas": True, "timestep_spacing": "linspace"}
CASES = [
    ("ddim", "normal", diffusers.DDIMScheduler, {}),
    ("euler", "normal", diffusers.EulerDiscreteScheduler, {}),
    ("euler", "karras", diffusers.EulerDiscreteScheduler, KARRAS),
    ("dpmpp_2m", "normal", diffusers.DPMSolverMultistepScheduler, {}),
    ("dpmpp_2m", "karras", diffusers.DPMSolverMultistepScheduler, KARRAS),
]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.create(cache_folder=tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="module")
def pipeline() -> Any:
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(
        CHECKPOINT, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize(("sampler", "scheduler", "reference", "settings"), CASES)
def test_it_equals_the_pipeline(
    sampler: str, scheduler: str, reference: Any, settings: dict[str, Any], engine: Engine, pipeline: Any
) -> None:
    workflow = WORKFLOW.with_input("sampler", "sampler_name", sampler)
    workflow = workflow.with_input("sampler", "scheduler", scheduler)
    ours = engine.run_sync(workflow, targets=["decode"]).outputs["decode"]["image"].pixels

    given = {name: WORKFLOW.nodes[name].inputs for name in ("positive", "negative", "latent", "sampler")}
    pipeline.scheduler = reference.from_config(pipeline.scheduler.config, **settings)
    theirs = pipeline(
        given["positive"]["text"],
        negative_prompt=given["negative"]["text"],
        height=given["latent"]["height"],
        width=given["latent"]["width"],
        num_inference_steps=given["sampler"]["steps"],
        guidance_scale=given["sampler"]["cfg"],
        generator=torch.Generator().manual_seed(given["sampler"]["seed"]),
        output_type="pt",
    ).images.movedim(1, -1)
    pipeline.scheduler = diffusers.DDIMScheduler.from_pretrained(CHECKPOINT, subfolder="scheduler")

    assert (ours - theirs).abs().max() <= TOLERANCE
