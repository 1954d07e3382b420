"""Linear multistep."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from numpy.polynomial import Polynomial
from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, slope

ORDER = 4


def sample_lms(denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback) -> Tensor:
    """Adams-Bashforth on uneven steps: integrate the polynomial through the last four slopes.

    Hairer, Nørsett and Wanner 1993, Sec. III.1, Eq. 1.5, in σ.
    """
    levels = sigmas.tolist()
    slopes: deque[Tensor] = deque(maxlen=ORDER)
    for step, sigma in enumerate(levels[:-1]):
        denoised = denoiser(x, sigma)
        slopes.append(slope(x, denoised, sigma))
        known = levels[step + 1 - len(slopes) : step + 1]
        weights = adams_bashforth_weights(known, levels[step + 1])
        for weight, one in zip(weights, slopes, strict=True):
            x = x + weight * one
        on_step(step + 1, denoised)
    return x


def adams_bashforth_weights(known: Sequence[float], end: float) -> list[float]:
    """Integrals, from the last of ``known`` to ``end``, of the Lagrange polynomials on ``known``."""
    return [_integral(known, index, end) for index in range(len(known))]


def _integral(known: Sequence[float], index: int, end: float) -> float:
    start, others = known[-1], [*known[:index], *known[index + 1 :]]
    basis = Polynomial.fromroots([other - start for other in others]) if others else Polynomial([1.0])
    area = basis.integ()(end - start) / basis(known[index] - start)
    return float(area)
