"""Denoising only where a mask says so."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.path import Path

MaskAt = Callable[[float], Tensor]
"""``[batch or 1, 1, height, width]`` in 0..1 at a noise level; 1 is denoised."""


def masked(denoiser: Denoiser, mask_at: MaskAt, clean: Tensor, noise: Tensor, path: Path) -> Denoiser:
    """Hold everything outside a mask to the original (RePaint; Lugmayr et al. 2022, Eq. 8).

    Args:
        mask_at: where to denoise.
        clean: the original latents, ``[batch, channels, height, width]``.
        noise: the noise the run started from, of the same shape.
        path: how they mix.
    """

    def denoise(x: Tensor, sigma: float) -> Tensor:
        mask, known = mask_at(sigma), path.noised(clean, noise, sigma)
        return blend(mask, denoiser(blend(mask, x, known), sigma), clean)

    return denoise


def blend(mask: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """``inside`` where the mask is 1, ``outside`` where it is 0."""
    return mask * inside + (1 - mask) * outside
