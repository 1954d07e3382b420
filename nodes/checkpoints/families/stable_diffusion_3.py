"""Stable Diffusion 3 and 3.5 (Esser et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.architectures.architecture import Settings
from nodes.checkpoints.families.family import T5, LatentSpace, Slot, Training
from nodes.checkpoints.families.stable_diffusion_xl import OPEN_CLIP, PENULTIMATE
from nodes.checkpoints.marks import Marks
from nodes.sampling.flow_schedule import FlowSchedule

SHIFT = 3.0
"""What the levels of noise are shifted by at sampling (Esser et al. 2024, Sec. 5.3.2)."""


class StableDiffusion3:
    """Three text encoders; the largest, a T5, may be left out."""

    name = "sd3"
    title = "Stable Diffusion 3"
    component = "transformer"
    network = "SD3Transformer2DModel"
    latents = LatentSpace("sd3", 1.5305, 0.0609)
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("l", ("text_encoders.clip_l.transformer.",), "text_encoder", "tokenizer", PENULTIMATE),
        Slot("g", ("text_encoders.clip_g.transformer.",), "text_encoder_2", "tokenizer_2", OPEN_CLIP),
        Slot(T5, ("text_encoders.t5xxl.transformer.",), "text_encoder_3", "tokenizer_3", optional=True),
    )

    def owns(self, settings: Settings) -> bool:
        """Every network of this class is."""
        return True

    def training(self, settings: Settings, marks: Marks) -> Training:
        """It predicts the velocity of the flow."""
        return Training(FlowSchedule(SHIFT), "flow")

    def text_width(self, settings: Settings) -> int:
        """Width of the text embeddings the network attends to."""
        return int(settings.get("joint_attention_dim", 4096))

    def joined_width(self, widths: Mapping[str, int]) -> int | None:
        """That of T5."""
        return widths.get(T5)

    def latent_channels(self, settings: Settings) -> int:
        """Channels of its latents."""
        return int(settings.get("in_channels", 16))
