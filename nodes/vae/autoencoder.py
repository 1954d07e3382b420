"""Encoding and decoding with an AutoencoderKL (Rombach et al. 2022, Sec. 3.1) or a tiny one (TAESD)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nodes.vae.pixels import to_rgb


def encode(vae: Any, pixels: Tensor, scaling_factor: float, shift_factor: float) -> Tensor:
    """Pixels to latents: the mode of the posterior, so that equal pictures give equal latents.

    Args:
        vae: diffusers' ``AutoencoderKL`` or ``AutoencoderTiny``, which has no posterior.
        pixels: ``[batch, height, width, 1|3|4]`` in 0..1; sides multiples of the autoencoder's scale.

    Returns:
        float32 ``[batch, channels, height / scale, width / scale]`` in the denoiser's scale.
    """
    signal = to_rgb(pixels).movedim(-1, 1) * 2 - 1
    encoded = vae.encode(_like_weights(signal, vae))
    mode: Tensor = encoded.latents if "latents" in encoded else encoded.latent_dist.mode()
    return (mode.float() - shift_factor) * scaling_factor


def decode(vae: Any, samples: Tensor, scaling_factor: float, shift_factor: float) -> Tensor:
    """Latents to pixels.

    Args:
        vae: diffusers' ``AutoencoderKL`` or ``AutoencoderTiny``, which has no posterior.
        samples: ``[batch, channels, height, width]`` in the denoiser's scale.

    Returns:
        float32 ``[batch, height · scale, width · scale, 3]`` in 0..1.
    """
    z = samples / scaling_factor + shift_factor
    signal: Tensor = vae.decode(_like_weights(z, vae), return_dict=False)[0]
    return (signal.float() / 2 + 0.5).clamp(0, 1).movedim(1, -1)


def _like_weights(tensor: Tensor, module: nn.Module) -> Tensor:
    weight = next(module.parameters())
    return tensor.to(weight.device, weight.dtype)
