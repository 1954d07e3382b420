"""Going back up to harmonise what is painted with what is kept."""

from __future__ import annotations

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.path import Path
from nodes.sampling.samplers import Solve
from nodes.sampling.steps import StepCallback


def resampled(solve: Solve, resamplings: int, jump_length: int = 1) -> Solve:
    """A solver that goes over each stretch of its noise levels again (Lugmayr et al. 2022, Algorithm 1).

    Args:
        solve: goes over a stretch.
        resamplings: U of the paper, how often each stretch is run; 1 changes nothing but that a multistep
            solver begins anew with every stretch.
        jump_length: steps of a stretch.
    """

    def repainting(
        denoiser: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource, path: Path, on_step: StepCallback
    ) -> Tensor:
        for start in range(0, len(sigmas) - 1, jump_length):
            stretch = sigmas[start : start + jump_length + 1]
            high, low = float(stretch[0]), float(stretch[-1])
            for again in range(resamplings):
                x = solve(denoiser, x, stretch, noise, path, _shifted(on_step, start))
                if again < resamplings - 1:
                    scale, deviation = path.raising(low, high)
                    x = scale * x + deviation * noise(high, low)
        return x

    return repainting


def _shifted(on_step: StepCallback, done: int) -> StepCallback:
    return lambda step, denoised: on_step(done + step, denoised)
