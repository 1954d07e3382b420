"""The architectures there are, and where in a file they lie."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from nodes.architectures.architecture import Architecture
from nodes.architectures.autoencoder import LdmAutoencoder
from nodes.architectures.clip import ClipText, OpenClipText
from nodes.architectures.clip_vision import ClipVision, OpenClipVision
from nodes.architectures.controlnet import DiffusersControlNet, LdmControlNet
from nodes.architectures.flux import FluxTransformer
from nodes.architectures.ip_adapter import IPAdapterFile
from nodes.architectures.mmdit import MMDiT
from nodes.architectures.t2i_adapter import T2IAdapterNetwork
from nodes.architectures.t5 import T5Text
from nodes.architectures.tiny_autoencoder import TinyAutoencoder
from nodes.architectures.unet import LdmUNet
from nodes.weights.header import Header

ARCHITECTURES: dict[str, Architecture] = {
    "ldm_unet": LdmUNet(),
    "ldm_controlnet": LdmControlNet(),
    "t2i_adapter": T2IAdapterNetwork(),
    "controlnet": DiffusersControlNet(),
    "mmdit": MMDiT(),
    "flux": FluxTransformer(),
    "ldm_autoencoder": LdmAutoencoder(),
    "tiny_autoencoder": TinyAutoencoder(),
    "clip": ClipText(),
    "open_clip": OpenClipText(),
    "t5": T5Text(),
    "clip_vision": ClipVision(),
    "open_clip_vision": OpenClipVision(),
    "ip_adapter": IPAdapterFile(),
}
DENOISERS = ("ldm_unet", "mmdit", "flux")
AUTOENCODERS = ("ldm_autoencoder", "tiny_autoencoder")
VISION_ENCODERS = ("clip_vision", "open_clip_vision")
TEXT_ENCODERS = ("clip", "open_clip", "t5")

PREFIXES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(DENOISERS, ("model.diffusion_model.", "")),
    "ldm_controlnet": ("control_model.", ""),
    "t2i_adapter": ("adapter.", ""),
    "controlnet": ("",),
    **dict.fromkeys(AUTOENCODERS, ("first_stage_model.", "vae.", "")),
    "clip": (
        "cond_stage_model.transformer.",
        "conditioner.embedders.0.transformer.",
        "text_encoders.clip_l.transformer.",
        "text_encoders.clip_g.transformer.",
        "",
    ),
    "open_clip": (
        "cond_stage_model.model.",
        "conditioner.embedders.0.model.",
        "conditioner.embedders.1.model.",
        "",
    ),
    "t5": ("text_encoders.t5xxl.transformer.", ""),
    **dict.fromkeys(VISION_ENCODERS, ("",)),
    "ip_adapter": ("",),
}
"""What may stand before the names of their tensors in whole checkpoints; nothing in files of their own."""


class Found(NamedTuple):
    """A network in a file.

    Attributes:
        architecture: its name in ``ARCHITECTURES``.
        prefix: what stands before the names of its tensors.
    """

    architecture: str
    prefix: str

    @property
    def description(self) -> str:
        """What it is, for people."""
        where = f" ({self.prefix.removesuffix('.')})" if self.prefix else ""
        return ARCHITECTURES[self.architecture].description + where


def find_networks(header: Header) -> list[Found]:
    """The networks that a file holds, by the names of its tensors."""
    parts = {prefix: header.below(prefix) for prefix in {*chain.from_iterable(PREFIXES.values())}}
    return [
        Found(name, prefix)
        for name, architecture in ARCHITECTURES.items()
        for prefix in PREFIXES[name]
        if architecture.detect(parts[prefix])
    ]
