"""FLUX.1 dev and schnell (Black Forest Labs 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.architectures.architecture import Settings
from nodes.architectures.flux import PATCH
from nodes.checkpoints.families.family import T5, LatentSpace, Slot, Training
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.text_encoders import ClipUse
from nodes.sampling.flow_schedule import FlowSchedule, flux_shift

SIDE = 1024
"""Pixels along the side of the picture whose shift is taken, until a node says what is made."""


class Flux:
    """CLIP gives the pooled vector, T5 the text."""

    name = "flux"
    title = "FLUX.1"
    component = "transformer"
    network = "FluxTransformer2DModel"
    latents = LatentSpace("flux", 0.3611, 0.1159)
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot(
            "l",
            ("text_encoders.clip_l.transformer.",),
            "text_encoder",
            "tokenizer",
            ClipUse(projected=False),
        ),
        Slot(T5, ("text_encoders.t5xxl.transformer.",), "text_encoder_2", "tokenizer_2"),
    )

    def owns(self, settings: Settings) -> bool:
        """Every network of this class is."""
        return True

    def training(self, settings: Settings, marks: Marks) -> Training:
        """It predicts the velocity of the flow; schnell, which is told no guidance, without a shift."""
        shift = flux_shift(SIDE, SIDE) if settings["guidance_embeds"] else 1.0
        return Training(FlowSchedule(shift), "flow")

    def text_width(self, settings: Settings) -> int:
        """Width of the text embeddings the network attends to."""
        return int(settings.get("joint_attention_dim", 4096))

    def joined_width(self, widths: Mapping[str, int]) -> int | None:
        """That of T5."""
        return widths.get(T5)

    def latent_channels(self, settings: Settings) -> int:
        """Channels of its latents, of which a patch is one token.

        Raises:
            ValueError: the network takes more than latents.
        """
        given, made = settings.get("in_channels", 64), settings.get("out_channels")
        if made not in (None, given):
            raise ValueError(
                f"its network takes {given} channels and gives {made}; it needs a second picture"
            )
        return int(given) // PATCH**2
