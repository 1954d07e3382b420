"""The tiny autoencoder TAESD (Bohan 2023, https://github.com/madebyollin/taesd)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

_LAYER = re.compile(r"(?P<half>(taesd_)?(encoder|decoder)\.)(layers\.)?(?P<index>\d+)\.(?P<rest>.+)")


class TinyAutoencoder:
    """diffusers' ``AutoencoderTiny``, in its own layout or in that of TAESD.

    TAESD numbers the layers of its decoder from 1: the first one, which clamps, has no weights.
    """

    description = "tiny autoencoder (TAESD)"

    def detect(self, header: Header) -> bool:
        """Whether it has both halves."""
        return all(any(name in header.shapes for name in _first(half)) for half in ("encoder", "decoder"))

    def settings(self, header: Header) -> Settings:
        """The settings of ``AutoencoderTiny``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        encoder, decoder = _layers(header, "encoder"), _layers(header, "decoder")
        if encoder[0][1] != decoder[-1][0]:
            raise UnknownFileError(f"it encodes {encoder[0][1]} channels and decodes {decoder[-1][0]}")
        return {
            "in_channels": encoder[0][1],
            "out_channels": decoder[-1][0],
            "latent_channels": decoder[0][1],
            **_half("encoder", _blocks(header, "encoder"), encoder[0][0]),
            **_half("decoder", _blocks(header, "decoder"), decoder[0][0]),
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "AutoencoderTiny").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        own = any(name.startswith(("encoder.layers.", "decoder.layers.")) for name in tensors)
        return {name if own else _renamed(name): tensor for name, tensor in tensors.items()}


class TinyDecoder:
    """The decoder alone, whose names begin with ``decoder.``: diffusers' ``DecoderTiny``."""

    description = "decoder of a tiny autoencoder (TAESD)"

    def detect(self, header: Header) -> bool:
        """Whether it is there."""
        return any(name in header.shapes for name in _first("decoder"))

    def settings(self, header: Header) -> Settings:
        """The arguments of ``DecoderTiny``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        layers, blocks = _layers(header, "decoder"), _blocks(header, "decoder")
        return {
            "in_channels": layers[0][1],
            "out_channels": layers[-1][0],
            "num_blocks": blocks,
            "block_out_channels": (layers[0][0],) * len(blocks),
            "upsampling_scaling_factor": 2,
            "act_fn": "relu",
            "upsample_fn": "nearest",
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings; it gives pixels in -1..1."""
        module: nn.Module = library_class("diffusers.models.autoencoders.vae", "DecoderTiny")(**settings)
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        named = TinyAutoencoder().convert(tensors, settings)
        return {name.removeprefix("decoder."): tensor for name, tensor in named.items()}


def _first(half: str) -> tuple[str, ...]:
    """Names that the first convolution of one half may have."""
    index = 0 if half == "encoder" else 1
    return f"{half}.layers.0.weight", f"taesd_{half}.{index}.weight", f"{half}.{index}.weight"


def _renamed(name: str) -> str:
    match = _LAYER.fullmatch(name)
    if match is None:
        return name
    half = match["half"].removeprefix("taesd_")
    index = int(match["index"]) - (half == "decoder.")
    return f"{half}layers.{index}.{match['rest']}"


def _matches(header: Header, half: str) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    for name, shape in header.shapes.items():
        match = _LAYER.fullmatch(name)
        if match is not None and match["half"].removeprefix("taesd_") == f"{half}.":
            yield int(match["index"]), match["rest"], shape


def _layers(header: Header, half: str) -> list[tuple[int, ...]]:
    """Shapes of the plain convolutions of one half, in order."""
    plain = sorted((index, shape) for index, rest, shape in _matches(header, half) if rest == "weight")
    if not plain or any(len(shape) != 4 or 0 in shape for _, shape in plain):
        raise UnknownFileError(f"its {half} is no row of convolutions")
    return [shape for _, shape in plain]


def _blocks(header: Header, half: str) -> tuple[int, ...]:
    """How many residual blocks stand between its convolutions."""
    plain = {index for index, rest, _ in _matches(header, half) if rest == "weight"}
    blocks = {index for index, rest, _ in _matches(header, half) if rest == "conv.0.weight"}
    borders = sorted(plain)
    return tuple(sum(before < index < after for index in blocks) for before, after in pairwise(borders))


def _half(half: str, blocks: tuple[int, ...], width: int) -> dict[str, tuple[int, ...]]:
    return {f"{half}_block_out_channels": (width,) * len(blocks), f"num_{half}_blocks": blocks}
