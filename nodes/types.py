"""What travels on the wires of the built-in nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field

from nodegraph import ModelRecipe, Widget
from nodes.sampling.denoiser import Prediction
from nodes.sampling.noise_schedule import Schedule
from nodes.sampling.patches import Patch

Seed = Annotated[
    int, Field(ge=0, le=2**64 - 1, description="the same seed gives the same picture"), Widget("seed")
]


@dataclass(frozen=True, eq=False)
class Image:
    """A batch of pictures.

    Attributes:
        pixels: float32 ``[batch, height, width, channels]`` in 0..1; channels are 1 (grey), 3 (RGB) or 4
            (RGBA, alpha not premultiplied); on the CPU.
    """

    pixels: torch.Tensor

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] not in (1, 3, 4):
            raise ValueError(f"an Image is [batch, height, width, 1|3|4], not {list(self.pixels.shape)}")
        if self.pixels.dtype != torch.float32:
            raise ValueError(f"an Image is float32, not {self.pixels.dtype}")


@dataclass(frozen=True, eq=False)
class Mask:
    """A batch of masks.

    Attributes:
        values: float32 ``[batch, height, width]`` in 0..1; 1 is where something happens; on the CPU.
    """

    values: torch.Tensor

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.dtype != torch.float32:
            raise ValueError(f"a Mask is float32 [batch, height, width], not {list(self.values.shape)}")


@dataclass(frozen=True, eq=False)
class Latent:
    """A batch of latents, in the scale the denoiser works in.

    Attributes:
        samples: float32 ``[batch, channels, height, width]``; on the CPU.
        noise_mask: float32 ``[batch or 1, 1, height, width]`` in 0..1 at latent size: where to denoise.
        seed_offsets: item ``i`` takes its noise from ``seed + seed_offsets[i]``; ``None`` means
            ``0, 1, 2, …``, so a picture does not depend on the batch it was made in.
    """

    samples: torch.Tensor
    noise_mask: torch.Tensor | None = None
    seed_offsets: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 4:
            raise ValueError(f"a Latent is [batch, channels, height, width], not {list(self.samples.shape)}")
        if self.seed_offsets is not None and len(self.seed_offsets) != len(self.samples):
            raise ValueError(f"{len(self.seed_offsets)} seed offsets for {len(self.samples)} latents")

    def colours(self, facts: Mapping[str, Any]) -> torch.Tensor:
        """Roughly the pictures that these are the latents of, one latent pixel for a pixel.

        Args:
            facts: what is known of them; ``family`` and ``text_width`` tell their latent space. Elsewhere
                the colours are false.

        Returns:
            float32 ``[batch, height, width, 3]`` in 0..1.
        """
        from nodes.sampling.preview import latent_colours

        family, width = facts.get("family", ""), facts.get("text_width")
        return torch.stack([latent_colours(item, family, width) for item in self.samples])

    def has_false_colours(self, facts: Mapping[str, Any]) -> bool:
        """Whether ``colours`` shows shapes alone, because the latent space is not known."""
        from nodes.sampling.preview import latent_map

        return latent_map(facts.get("family", ""), facts.get("text_width"), self.samples.shape[1]) is None


@dataclass(frozen=True)
class Model:
    """A denoising network: how to make it, and how it is to be sampled. Holds no weights.

    Attributes:
        weights: the recipe of the network; lease it to compute.
        family: the architecture, such as ``sd``.
        latent_channels: channels of the latents it denoises.
        text_width: width of the text embeddings it attends to.
        schedule: the noise it was trained with.
        prediction: what it predicts.
        concat_channels: how many channels it takes beside the noisy latents, as inpainting and instruction
            models do.
        latent_family: the family whose latents it denoises, where that is another one: the refiner of
            Stable Diffusion XL goes on with those of the base model.
        patches: changes to how it is sampled, in the order they were made.
        latent_side: side in latent pixels of the square latents it was trained with, where its configs say.
        cfg: the guidance scale that suits it, where its card says.
    """

    weights: ModelRecipe[Any]
    family: str
    latent_channels: int
    text_width: int
    schedule: Schedule
    prediction: Prediction
    concat_channels: int = 0
    latent_family: str | None = None
    patches: tuple[Patch, ...] = ()
    latent_side: int | None = None
    cfg: float | None = None


@dataclass(frozen=True)
class Clip:
    """A text encoder with its tokenizer. Holds no weights.

    Attributes:
        weights: the recipe of its ``TextEncoders``.
        family: the architecture of the models it serves.
        text_width: width of its embeddings.
        layer: whose hidden states are taken, counted from the end, -1 being the last; by default the
            layer that the models were trained with.
    """

    weights: ModelRecipe[Any]
    family: str
    text_width: int
    layer: int | None = None


@dataclass(frozen=True)
class Vae:
    """An autoencoder between pixels and latents. Holds no weights.

    Attributes:
        weights: the recipe of the autoencoder.
        family: the architecture of the models whose latents these are.
        latent_channels: channels of its latents.
        scale: pixels along a side of one latent pixel.
        scaling_factor: latents in the denoiser's scale are ``(z - shift_factor) · scaling_factor``.
        shift_factor: see ``scaling_factor``.
    """

    weights: ModelRecipe[Any]
    family: str
    latent_channels: int
    scale: int
    scaling_factor: float
    shift_factor: float = 0.0


@dataclass(frozen=True)
class ControlNet:
    """A network that steers a denoiser with a picture. Holds no weights.

    Attributes:
        weights: the recipe of the network.
        family: the architecture of the models it steers.
        latent_channels: channels of their latents.
        text_width: width of their text embeddings; ``None`` where any will do.
        scale: pixels of its picture along a side of one latent pixel.
    """

    weights: ModelRecipe[Any]
    family: str
    latent_channels: int
    text_width: int | None
    scale: int


@dataclass(frozen=True)
class T2IAdapter(ControlNet):
    """A small network that steers a denoiser with a picture, which is all that it sees (Mou et al. 2023).

    Attributes:
        picture_channels: 3 for RGB, 1 for grey.
        picture_multiple: what both sides of its picture have to be a multiple of.
        widths: channels of its features, level by level.
    """

    picture_channels: int
    picture_multiple: int
    widths: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ControlHint:
    """A ControlNet or T2I-Adapter and the picture it shall follow.

    Attributes:
        control_net: the network.
        image: its picture, one for all items of a batch or one for each.
        strength: how strongly it is followed; 1 is as trained.
        start_percent: share of the trained timesteps done when it begins, 0..1.
        end_percent: share done when it ends, 0..1.
    """

    control_net: ControlNet
    image: Image
    strength: float = 1.0
    start_percent: float = 0.0
    end_percent: float = 1.0


@dataclass(frozen=True)
class ClipVision:
    """An encoder of pictures. Holds no weights.

    Attributes:
        weights: the recipe of transformers' ``CLIPVisionModelWithProjection``.
        embed_width: width of the one vector it makes of a picture.
        hidden_width: width of its hidden states.
        side: pixels along a side of the square pictures it takes.
    """

    weights: ModelRecipe[Any]
    embed_width: int
    hidden_width: int
    side: int


@dataclass(frozen=True, eq=False)
class ClipVisionOutput:
    """What CLIP says of pictures; all float32, on the CPU.

    Attributes:
        image_embeds: one vector for each picture, ``[pictures, embed width]``.
        penultimate_hidden_states: states of the last layer but one, ``[pictures, patches + 1,
            hidden width]``.
        blank_hidden_states: those of no picture at all, the mean colour of what CLIP was trained with,
            ``[1, patches + 1, hidden width]``.
    """

    image_embeds: torch.Tensor
    penultimate_hidden_states: torch.Tensor
    blank_hidden_states: torch.Tensor


@dataclass(frozen=True)
class IPAdapter:
    """Layers by which a denoiser attends to a picture beside its text (Ye et al. 2023). Holds no weights.

    Attributes:
        weights: the recipe of its ``ImagePromptNetwork``.
        family: the architecture of the models it is for; ``None`` where its file does not show it.
        text_width: width of the text embeddings of those models.
        feature_width: width of what it is told of a picture.
        reads_hidden: whether that are CLIP's hidden states; otherwise it is the one vector.
        widths: of the model's cross-attentions, one after the other.
    """

    weights: ModelRecipe[Any]
    family: str | None
    text_width: int
    feature_width: int
    reads_hidden: bool
    widths: tuple[int, ...]


@dataclass(frozen=True)
class PictureSize:
    """What SDXL is told of a picture's size (Podell et al. 2024, Sec. 2.2), in pixels.

    Attributes:
        height: of the picture before it was cropped.
        width: of the picture before it was cropped.
        crop_top: what was cropped off at the top.
        crop_left: what was cropped off at the left.
        target_height: of the picture to make.
        target_width: of the picture to make.
        aesthetic_score: about 0..10; only the refiner is told, in place of the target size.
    """

    height: int
    width: int
    crop_top: int = 0
    crop_left: int = 0
    target_height: int = 0
    target_width: int = 0
    aesthetic_score: float | None = None


@dataclass(frozen=True)
class Area:
    """A rectangle of a picture.

    Attributes:
        height: in pixels, or as a share of the picture.
        width: likewise.
        top: likewise.
        left: likewise.
        relative: whether these are shares, 0..1.
    """

    height: float
    width: float
    top: float
    left: float
    relative: bool = False


@dataclass(frozen=True, eq=False)
class PromptMask:
    """Where a prompt counts.

    Attributes:
        values: float32 ``[batch or 1, height, width]`` in 0..1, of any size; on the CPU.
        strength: how much it counts where the mask is 1.
        bounds_only: whether the network sees only the rectangle around the mask.
    """

    values: torch.Tensor
    strength: float = 1.0
    bounds_only: bool = False


@dataclass(frozen=True, eq=False)
class Prompt:
    """One encoded prompt and what goes with it.

    Attributes:
        embeddings: float32 ``[1, tokens, width]``; on the CPU.
        controls: pictures that steer it.
        pooled: one vector for the whole prompt, float32 ``[1, pooled width]``; for families that take one.
        size: what SDXL is told of the picture's size; by default the size that is made.
        guidance: the guidance scale that a distilled model is told.
        area: the only part of the picture it is for.
        strength: how much it counts beside other prompts, there.
        mask: where in the picture it counts.
        start_percent: share of the trained noise schedule done when it begins to count, 0..1.
        end_percent: share done when it ceases to count, 0..1.
        concat: latents that the network takes beside the noisy ones, float32 ``[batch or 1, channels,
            height, width]``: for inpainting and instruction models.
    """

    embeddings: torch.Tensor
    controls: tuple[ControlHint, ...] = ()
    pooled: torch.Tensor | None = None
    size: PictureSize | None = None
    guidance: float | None = None
    area: Area | None = None
    strength: float = 1.0
    mask: PromptMask | None = None
    start_percent: float = 0.0
    end_percent: float = 1.0
    concat: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What a denoiser is told: one encoded prompt or more, which count in equal parts.

    Attributes:
        prompts: at least one.
        family: the architecture of the models it is for.
    """

    prompts: tuple[Prompt, ...]
    family: str

    def __post_init__(self) -> None:
        if not self.prompts:
            raise ValueError("a Conditioning holds at least one prompt")

    @property
    def text_width(self) -> int:
        """Width of the embeddings."""
        return self.prompts[0].embeddings.shape[-1]
