"""Denoising only where a mask says so."""

from __future__ import annotations

from torch import Tensor

from nodes.sampling.denoiser import Denoiser


def masked(denoiser: Denoiser, mask: Tensor, clean: Tensor, noise: Tensor) -> Denoiser:
    """Hold everything outside ``mask`` to the original (RePaint; Lugmayr et al. 2022, Eq. 8).

    Args:
        mask: ``[batch or 1, 1, height, width]`` in 0..1; 1 is denoised.
        clean: the original latents, ``[batch, channels, height, width]``.
        noise: the noise the run started from, of the same shape.
    """

    def denoise(x: Tensor, sigma: float) -> Tensor:
        known = clean + sigma * noise
        return blend(mask, denoiser(blend(mask, x, known), sigma), clean)

    return denoise


def blend(mask: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """``inside`` where the mask is 1, ``outside`` where it is 0."""
    return mask * inside + (1 - mask) * outside
