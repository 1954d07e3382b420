"""One sampling run, from latents and noise to latents."""

from __future__ import annotations

import math

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.masking import blend, masked
from nodes.sampling.noise_schedule import NoiseSchedule
from nodes.sampling.samplers import Sampler
from nodes.sampling.steps import StepCallback, no_callback


def denoise_latents(
    denoiser: Denoiser,
    sampler: Sampler,
    schedule: NoiseSchedule,
    sigmas: Tensor,
    clean: Tensor,
    noise: Tensor,
    mask: Tensor | None = None,
    *,
    from_noise: bool = True,
    on_step: StepCallback = no_callback,
) -> Tensor:
    """Add noise to latents and take it away again.

    Args:
        denoiser: estimates x₀.
        sampler: the solver and its conventions.
        schedule: the noise the model was trained with.
        sigmas: noise levels ``[steps + 1]``, decreasing.
        clean: latents to start from, ``[batch, channels, height, width]``; zeros for a new picture.
        noise: standard normal, of the same shape and device.
        mask: ``[batch or 1, 1, height, width]`` in 0..1; what is 0 comes back as it was.
        from_noise: start as if from pure noise, as a whole run does; otherwise with just the noise that
            belongs to ``sigmas[0]``.
        on_step: called after each step.

    Returns:
        Latents in the scale of ``clean``.
    """
    sigmas = sampler.ending(sigmas, schedule)
    first, last = float(sigmas[0]), float(sigmas[-1])
    scale = sampler.start_scale(first, schedule) if from_noise else first
    if mask is not None:
        denoiser = masked(denoiser, mask, clean, noise)
    x = sampler.sample(denoiser, clean + scale * noise, sigmas, on_step)
    latents = x / math.sqrt(last**2 + 1)
    return latents if mask is None else blend(mask, latents, clean)
