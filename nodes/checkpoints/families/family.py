"""What a family is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nodegraph import ModelRecipe
from nodegraph.errors import FileProblem
from nodes.architectures.architecture import Settings
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.text_encoders import LAST_LAYER, ClipUse
from nodes.sampling.denoiser import Prediction
from nodes.sampling.noise_schedule import Schedule
from nodes.types import Model

T5 = "t5xxl"
"""Name of the text encoder that is a T5."""


@dataclass(frozen=True)
class LatentSpace:
    """The scale in which a family denoises.

    Attributes:
        family: the family whose latents these are.
        scaling_factor: latents in the denoiser's scale are ``(z - shift_factor) · scaling_factor``.
        shift_factor: see ``scaling_factor``.
    """

    family: str
    scaling_factor: float
    shift_factor: float = 0.0


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    Attributes:
        schedule: the noise levels.
        prediction: what the network predicts.
    """

    schedule: Schedule
    prediction: Prediction


@dataclass(frozen=True)
class Slot:
    """A text encoder of a family.

    Attributes:
        name: ``l``, ``g``, ``h`` or ``t5xxl``.
        prefixes: what may stand before its tensors in a single file.
        component: its folder in a diffusers folder.
        tokenizer: the folder of its tokenizer there.
        use: how it is read, where it is a CLIP; as single files have it.
        optional: whether models work without it.
    """

    name: str
    prefixes: tuple[str, ...]
    component: str
    tokenizer: str
    use: ClipUse = LAST_LAYER
    optional: bool = False


UNET = "UNet2DConditionModel"


class Family(Protocol):
    """One model family."""

    @property
    def name(self) -> str:
        """Its name, as facts and messages have it."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def component(self) -> str:
        """Folder of the denoising network in a diffusers folder."""

    @property
    def network(self) -> str:
        """diffusers' class of the denoising network."""

    @property
    def latents(self) -> LatentSpace:
        """The scale it denoises in."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its text encoders, in the order in which it joins what they make."""

    def owns(self, settings: Settings) -> bool:
        """Whether a network of the right class, with these settings, is of this family."""

    def training(self, settings: Settings, marks: Marks) -> Training:
        """How the model of a single file was trained, as far as it says."""

    def text_width(self, settings: Settings) -> int:
        """Width of the text embeddings the network attends to."""

    def joined_width(self, widths: Mapping[str, int]) -> int | None:
        """Width of the text embeddings that its text encoders make together.

        Args:
            widths: of the hidden states of each, by name.

        Returns:
            ``None`` where it depends on one that is left out.
        """

    def latent_channels(self, settings: Settings) -> int:
        """Channels of its latents.

        Raises:
            ValueError: the network takes more than latents.
        """


def channels_beside(family: Family, settings: Settings) -> int:
    """Channels that a U-Net takes beside the latents: a mask and a picture, or a picture.

    Raises:
        ValueError: it takes fewer channels than it gives.
    """
    if family.network != UNET:
        return 0
    given, made = settings.get("in_channels", 4), settings.get("out_channels", 4)
    if given < made:
        raise ValueError(f"its U-Net takes {given} channels and gives {made}")
    return int(given - made)


def make_model(family: Family, weights: ModelRecipe[Any], settings: Settings, training: Training) -> Model:
    """The model of a network.

    Raises:
        FileProblem: the network takes more than latents and a prompt.
    """
    try:
        channels = family.latent_channels(settings)
        beside = channels_beside(family, settings)
    except ValueError as problem:
        raise FileProblem(str(problem)) from problem
    return Model(
        weights=weights,
        family=family.name,
        latent_family=None if family.latents.family == family.name else family.latents.family,
        latent_channels=channels,
        concat_channels=beside,
        text_width=family.text_width(settings),
        schedule=training.schedule,
        prediction=training.prediction,
        latent_side=_side(settings),
    )


def _side(settings: Settings) -> int | None:
    """Side of the latents that a network was trained with; only square ones have one."""
    side = settings.get("sample_size")
    return side if isinstance(side, int) and side > 0 else None
