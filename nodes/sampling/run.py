"""One sampling run, from latents and noise to latents."""

from __future__ import annotations

from torch import Tensor

from nodes.sampling.denoiser import Denoiser, network_scale
from nodes.sampling.masking import MaskAt, masked
from nodes.sampling.noise import NoiseSource
from nodes.sampling.noise_schedule import Schedule, path_of
from nodes.sampling.path import Path
from nodes.sampling.samplers import Sampler
from nodes.sampling.steps import StepCallback, no_callback


def denoise_latents(
    denoiser: Denoiser,
    sampler: Sampler,
    schedule: Schedule,
    sigmas: Tensor,
    clean: Tensor,
    noise: Tensor,
    step_noise: NoiseSource,
    mask_at: MaskAt | None = None,
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
        noise: standard normal, of the same shape and device; zeros where ``clean`` has its noise already.
        step_noise: what stochastic samplers add.
        mask_at: where to denoise; what is 0 comes back as it was.
        from_noise: start as if from pure noise, as a whole run does; otherwise with just the noise that
            belongs to ``sigmas[0]``.
        on_step: called after each step.

    Returns:
        Latents in the scale of ``clean``; with the noise that belongs to ``sigmas[-1]`` if it is above 0.
    """
    levels, path = sampler.levels(sigmas, schedule), path_of(schedule)
    first, last = float(levels[0]), float(levels[-1])
    scale = sampler.start_scale(first, schedule) if from_noise else first
    if mask_at is not None:
        denoiser = masked(denoiser, mask_at, clean, noise, path)
    x = path.alpha(first) * clean + scale * noise
    latents = sampler.solve(denoiser, x, levels, step_noise, path, on_step)
    latents = latents * _final_scale(path, float(sigmas[-1]), last)
    return latents if mask_at is None else latents.where(mask_at(last) > 0, clean)


def _final_scale(path: Path, asked: float, reached: float) -> float:
    """A run that shall end with noise gives x₀ + (σ/α) ε, which a second one goes on from; one that merely
    stops a little above 0 gives what its network was trained to see there."""
    return 1 / path.alpha(reached) if asked > 0 else network_scale(path, reached)
