"""Features of random filters, which need no training and no file."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import nn
from torch.nn import functional

MEAN, DEVIATION = 0.5, 0.25
"""About the mean and the deviation of natural pictures in 0..1."""

FOURIER_FROM = 17
"""Size of the smallest filters that are quicker to apply by Fourier transform."""


def layer_name(size: int) -> str:
    """Name of the layer of filters of size x size pixels."""
    return f"{size}x{size}"


class RandomFeatures(nn.Module):
    """One layer of rectified random filters at several scales.

    Ustyuzhaninov, Brendel, Gatys, Bethge 2017, "What does it take to generate natural textures?": weights
    are uniform. Their limit is sqrt(3 / inputs), not the paper's sqrt(6 / (inputs + outputs)), so that
    responses, and with them losses, have the same size however many filters there are.

    Args:
        seed: seed of the weights.
        filters: how many of each size.
        sizes: sides of the filters in pixels, odd.
    """

    def __init__(self, seed: int, filters: int, sizes: Sequence[int]) -> None:
        super().__init__()
        generator = torch.Generator("cpu").manual_seed(seed)
        self.weights = nn.ParameterDict()
        for size in sizes:
            limit = math.sqrt(3 / (3 * size**2))
            weights = torch.empty(filters, 3, size, size).uniform_(-limit, limit, generator=generator)
            self.weights[layer_name(size)] = nn.Parameter(weights, requires_grad=False)

    def forward(self, pictures: torch.Tensor, wanted: Collection[str]) -> dict[str, torch.Tensor]:
        """Responses ``[batch, filters, height, width]`` by name of the wanted layers.

        Args:
            pictures: ``[batch, 3, height, width]`` in 0..1.
            wanted: names of layers.
        """
        centred = (pictures - MEAN) / DEVIATION
        return {
            name: filtered(centred, weights).relu()
            for name, weights in self.weights.items()
            if name in wanted
        }


def filtered(pictures: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Pictures seen through filters, at the same size; beyond the edges is zero.

    Args:
        pictures: ``[batch, channels, height, width]``.
        weights: ``[filters, channels, size, size]``, size odd.

    Returns:
        ``[batch, filters, height, width]``.
    """
    if weights.shape[-1] < FOURIER_FROM:
        return functional.conv2d(pictures, weights, padding="same")
    return _filtered_by_fourier(pictures, weights)


def _filtered_by_fourier(pictures: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """A product of spectra, whose cost does not grow with the filters."""
    height, width = pictures.shape[-2:]
    reach = weights.shape[-1] // 2
    shape = [_fast_length(height + reach), _fast_length(width + reach)]  # room, so that no edge meets another
    spectrum = torch.fft.rfft2(pictures, s=shape)
    filters = torch.fft.rfft2(weights, s=shape).conj()
    product = torch.einsum("bchw,fchw->bfhw", spectrum, filters)
    shifted: torch.Tensor = torch.fft.irfft2(product, s=shape).roll((reach, reach), dims=(-2, -1))
    return shifted[..., :height, :width]


def _fast_length(length: int) -> int:
    """The next multiple of 16; transforms of prime lengths are slow."""
    return -(-length // 16) * 16
