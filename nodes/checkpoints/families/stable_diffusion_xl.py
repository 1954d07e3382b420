"""Stable Diffusion XL (Podell et al. 2023): base and refiner. Turbo is base in its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.architectures.architecture import Settings
from nodes.checkpoints.families.family import LatentSpace, Slot, Training
from nodes.checkpoints.families.stable_diffusion import ldm_schedule, unet_channels
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.text_encoders import ClipUse

PENULTIMATE = ClipUse(layer=-2, final_norm=False)
OPEN_CLIP = ClipUse(layer=-2, final_norm=False, pad=0)


class _Network:
    component = "unet"
    network = "UNet2DConditionModel"
    latents = LatentSpace("sdxl", 0.13025)

    def training(self, settings: Settings, marks: Marks) -> Training:
        """It predicts ε; some fine-tuned models predict v, and say so."""
        return Training(ldm_schedule(marks), marks.prediction or "epsilon")

    def text_width(self, settings: Settings) -> int:
        """Width of the text embeddings the network attends to."""
        return int(settings.get("cross_attention_dim", 1280))

    def joined_width(self, widths: Mapping[str, int]) -> int | None:
        """Width of the text embeddings that its text encoders make together."""
        return sum(widths.values())

    def latent_channels(self, settings: Settings) -> int:
        """Channels of its latents."""
        return unet_channels(settings)


class StableDiffusionXL(_Network):
    """Two text encoders, whose states stand side by side."""

    name = "sdxl"
    title = "Stable Diffusion XL"
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("l", ("conditioner.embedders.0.transformer.",), "text_encoder", "tokenizer", PENULTIMATE),
        Slot("g", ("conditioner.embedders.1.model.",), "text_encoder_2", "tokenizer_2", OPEN_CLIP),
    )

    def owns(self, settings: Settings) -> bool:
        """Whether the network is told sizes, and attends to text at its lowest resolution."""
        return settings.get("addition_embed_type") == "text_time" and not _is_refiner(settings)


class StableDiffusionXLRefiner(_Network):
    """One text encoder, the larger one."""

    name = "sdxl_refiner"
    title = "Stable Diffusion XL refiner"
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("g", ("conditioner.embedders.0.model.",), "text_encoder_2", "tokenizer_2", OPEN_CLIP),
    )

    def owns(self, settings: Settings) -> bool:
        """Whether the network is told sizes, and has no attention at its lowest resolution."""
        return settings.get("addition_embed_type") == "text_time" and _is_refiner(settings)


def _is_refiner(settings: Settings) -> bool:
    return bool(settings["down_block_types"][-1] == "DownBlock2D")
