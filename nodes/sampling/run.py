"""One sampling run, from latents and noise to latents."""

from __future__ import annotations

from torch import Tensor

from nodes.sampling.denoiser import Denoiser, network_scale
from nodes.sampling.masking import blend, masked
from nodes.sampling.noise_schedule import Schedule, path_of
from nodes.sampling.samplers import Sampler
from nodes.sampling.steps import StepCallback, no_callback


def denoise_latents(
    denoiser: Denoiser,
    sampler: Sampler,
    schedule: Schedule,
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
    path, first, last = path_of(schedule), float(sigmas[0]), float(sigmas[-1])
    scale = sampler.start_scale(first, schedule) if from_noise else first
    if mask is not None:
        denoiser = masked(denoiser, mask, clean, noise, path)
    x = sampler.sample(denoiser, path.alpha(first) * clean + scale * noise, sigmas, on_step)
    latents = x * network_scale(path, last)
    return latents if mask is None else blend(mask, latents, clean)
