"""Random U-Nets whose last layer is fitted to tell noise, so that what they sample has the spread of data.

A network of random weights alone leaves the latents as wide as the noise they began with, 15 times as wide as
those of pictures, and with them its rounding errors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

ALPHA_BARS = (0.005, 0.05, 0.3, 0.7, 0.95)
TIMESTEPS = (999, 790, 500, 270, 50)
SIDE, PICTURES = 16, 4
PLAINNESS = 25.0
"""By how much the first convolution is made stronger, so that random layers keep sight of the input."""
RIDGE = 1e-4
"""Of the mean square of the features: keeps the fit from balancing large weights against one another."""


def fit_to_noise(unet: Any) -> None:
    """Solve for the weights of the last convolution that best predict ε, by least squares.

    The data are smooth random latents of variance one, noised at five levels, with random prompts.
    """
    unet.conv_in.weight.data *= PLAINNESS
    generator = torch.Generator().manual_seed(1)
    features, noises = zip(
        *(_features(unet, *level, generator) for level in zip(TIMESTEPS, ALPHA_BARS, strict=True)),
        strict=True,
    )
    inputs, wanted = torch.cat(features).double(), torch.cat(noises).double()
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
    square = inputs.T @ inputs
    square.diagonal().add_(RIDGE * square.diagonal().mean())
    solved = torch.linalg.solve(square, inputs.T @ wanted).float()
    unet.conv_out.weight.data = solved[:-1].T.reshape(unet.conv_out.weight.shape).contiguous()
    unet.conv_out.bias.data = solved[-1].contiguous()


def _features(
    unet: Any, timestep: int, alpha_bar: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What the last convolution sees, ``[pixels, inputs]``, and the noise it shall tell, ``[pixels, 4]``."""
    noise = torch.randn(PICTURES, 4, SIDE, SIDE, generator=generator)
    coarse = torch.randn(PICTURES, 4, SIDE // 4, SIDE // 4, generator=generator)
    clean = functional.interpolate(coarse, size=(SIDE, SIDE), mode="nearest")
    beside = torch.randn(PICTURES, unet.config.in_channels - 4, SIDE, SIDE, generator=generator)
    noisy = alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
    seen: list[Tensor] = []
    hook = unet.conv_out.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.no_grad():
        unet(torch.cat([noisy, beside], 1), timestep, **_told(unet, generator))
    hook.remove()
    unfolded = functional.unfold(seen[0], 3, padding=1).movedim(1, 2).flatten(0, 1)
    return unfolded, noise.movedim(1, -1).flatten(0, 2)


def _told(unet: Any, generator: torch.Generator) -> dict[str, Any]:
    config = unet.config
    text = torch.randn(PICTURES, 77, config.cross_attention_dim, generator=generator)
    if config.addition_embed_type is None:
        return {"encoder_hidden_states": text}
    inputs = config.projection_class_embeddings_input_dim
    numbers = 5 if (inputs - 5 * config.addition_time_embed_dim) == config.cross_attention_dim else 6
    pooled = torch.randn(PICTURES, inputs - numbers * config.addition_time_embed_dim, generator=generator)
    added = {"text_embeds": pooled, "time_ids": torch.full((PICTURES, numbers), 128.0)}
    return {"encoder_hidden_states": text, "added_cond_kwargs": added}
