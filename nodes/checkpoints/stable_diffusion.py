"""Stable Diffusion 1 and 2 as a diffusers folder (Rombach et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.recipes import (
    DIFFUSERS_STEM,
    TRANSFORMERS_STEM,
    AutoencoderRecipe,
    TextEncoderRecipe,
    UNetRecipe,
)
from nodes.checkpoints.scheduler import noise_schedule, prediction
from nodes.types import Clip, Model, Vae
from nodes.weights.tensors import weight_files

FAMILY = "sd"
COMPONENTS = {"unet": "UNet2DConditionModel", "text_encoder": "CLIPTextModel", "vae": "AutoencoderKL"}
WEIGHTS = {"unet": DIFFUSERS_STEM, "text_encoder": TRANSFORMERS_STEM, "vae": DIFFUSERS_STEM}
OTHER_INPUTS = ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type")
"""U-Net settings that call for inputs besides latents, time and one prompt."""


class StableDiffusionFolder:
    """Finds and reads folders of this family."""

    description = f"Stable Diffusion (unet, text_encoder and vae are {', '.join(COMPONENTS.values())})"

    def detect(self, components: Mapping[str, str]) -> bool:
        """Whether the components are those of this family, with one text encoder."""
        same = all(components.get(name) == cls for name, cls in COMPONENTS.items())
        return same and "text_encoder_2" not in components

    def load(self, file: File, root: Path) -> Checkpoint:
        """The recipes of the parts, from configs alone.

        Raises:
            FileProblem: a part is missing, or is of a kind that cannot be used.
        """
        _require_files(root)
        text_width = read_config(root / "text_encoder/config.json").get("hidden_size", 512)
        return Checkpoint(
            model=_model(file, root),
            clip=Clip(TextEncoderRecipe(file), FAMILY, text_width),
            vae=_vae(file, read_config(root / "vae/config.json")),
        )


def _model(file: File, root: Path) -> Model:
    unet = read_config(root / "unet/config.json")
    scheduler = read_config(root / "scheduler/scheduler_config.json")
    channels = unet.get("in_channels", 4)
    if channels != unet.get("out_channels", 4):
        raise FileProblem(
            f"its U-Net takes {channels} channels and gives {unet.get('out_channels', 4)}; "
            "U-Nets that take a mask or a second picture cannot be sampled from a prompt alone"
        )
    for setting in OTHER_INPUTS:
        if unet.get(setting) is not None:
            raise FileProblem(f"its U-Net needs more than a prompt ({setting} is {unet[setting]!r})")
    return Model(
        weights=UNetRecipe(file),
        family=FAMILY,
        latent_channels=channels,
        text_width=unet.get("cross_attention_dim", 1280),
        schedule=noise_schedule(scheduler),
        prediction=prediction(scheduler),
    )


def _vae(file: File, config: Config) -> Vae:
    return Vae(
        weights=AutoencoderRecipe(file, force_upcast=config.get("force_upcast", True)),
        family=FAMILY,
        latent_channels=config.get("latent_channels", 4),
        scale=2 ** (len(config.get("block_out_channels", (64,))) - 1),
        scaling_factor=config.get("scaling_factor", 0.18215),
        shift_factor=config.get("shift_factor") or 0.0,
    )


def _require_files(root: Path) -> None:
    """Complain about every missing file at once, before hours of sampling rather than after."""
    problems = [] if (root / "tokenizer").is_dir() else ["no tokenizer/"]
    for component, stem in WEIGHTS.items():
        try:
            weight_files(root / component, stem)
        except FileNotFoundError as missing:
            problems.append(str(missing))
    if problems:
        raise FileProblem("; ".join(problems))
