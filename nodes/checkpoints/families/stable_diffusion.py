"""Stable Diffusion 1 and 2 (Rombach et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.architectures.architecture import Settings
from nodes.checkpoints.families.family import LatentSpace, Slot, Training
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.text_encoders import ClipUse
from nodes.sampling.denoiser import Prediction
from nodes.sampling.noise_schedule import NoiseSchedule

OTHER_INPUTS = ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type")
"""U-Net settings that call for inputs besides latents, time and one prompt."""


class StableDiffusion:
    """One text encoder: CLIP ViT-L in version 1, OpenCLIP ViT-H in version 2."""

    name = "sd"
    title = "Stable Diffusion 1 or 2"
    component = "unet"
    network = "UNet2DConditionModel"
    latents = LatentSpace("sd", 0.18215)
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("l", ("cond_stage_model.transformer.",), "text_encoder", "tokenizer"),
        Slot("h", ("cond_stage_model.model.",), "text_encoder", "tokenizer", ClipUse(layer=-2, pad=0)),
    )

    def owns(self, settings: Settings) -> bool:
        """Whether the network is told no more than a prompt."""
        return all(settings.get(name) is None for name in OTHER_INPUTS)

    def training(self, settings: Settings, marks: Marks) -> Training:
        """Version 1 predicts ε; version 2 does, or v."""
        prediction = marks.prediction or _guess(settings, marks)
        return Training(ldm_schedule(marks), prediction)

    def text_width(self, settings: Settings) -> int:
        """Width of the text embeddings the network attends to."""
        return int(settings.get("cross_attention_dim", 1280))

    def joined_width(self, widths: Mapping[str, int]) -> int | None:
        """Width of the text embeddings that its text encoders make together."""
        return sum(widths.values())

    def latent_channels(self, settings: Settings) -> int:
        """Channels of its latents."""
        return unet_channels(settings)


def ldm_schedule(marks: Marks) -> NoiseSchedule:
    """The noise that latent-diffusion trains with: β from 0.00085 to 0.012, linear in √β."""
    return NoiseSchedule(
        "scaled_linear",
        0.00085,
        0.012,
        rescale_zero_snr=marks.zero_snr,
        steps_offset=1,
        set_alpha_to_one=False,
    )


def _guess(settings: Settings, marks: Marks) -> Prediction:
    second = settings["use_linear_projection"]
    return "v_prediction" if second and marks.spread_says_v() else "epsilon"


def unet_channels(settings: Settings) -> int:
    """Channels of the latents a U-Net denoises."""
    return int(settings.get("out_channels", 4))
