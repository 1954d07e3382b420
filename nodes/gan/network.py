"""What generators have in common, whatever their layers are."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from nodes.weights.header import Header, UnknownFileError

Activation = Literal["tanh", "sigmoid"]

MAX_SIDE = 4096
"""The largest width or height of a picture that a file may ask for."""


def output_activation(header: Header, default: Activation) -> Activation:
    """What the network ends in: ``output_activation`` of the file's metadata, or ``default``.

    Raises:
        UnknownFileError: the metadata names another one.
    """
    named = header.metadata.get("output_activation", default)
    if named == "tanh":
        return "tanh"
    if named == "sigmoid":
        return "sigmoid"
    raise UnknownFileError(f"its metadata says output_activation = {named!r}; tanh or sigmoid would do")


class GeneratorNetwork(nn.Module):
    """Latent vectors to pictures.

    Args:
        layers: the network up to its last activation.
        latent_shape: shape of one latent as the layers take it.
        picture_shape: ``(channels, height, width)`` of one picture.
        activation: the last activation, whose range becomes 0..1.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        latent_shape: tuple[int, ...],
        picture_shape: tuple[int, int, int],
        activation: Activation,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.latent_shape = latent_shape
        self.picture_shape = picture_shape
        self.activation = activation

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures ``[batch, channels, height, width]`` in 0..1 from latents ``[batch, latent size]``."""
        values: torch.Tensor = self.layers(latents.view(len(latents), *self.latent_shape))
        values = values.view(len(latents), *self.picture_shape)
        return (values.tanh() + 1) / 2 if self.activation == "tanh" else values.sigmoid()
