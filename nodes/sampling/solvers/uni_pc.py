"""UniPC: a predictor and a corrector of any order that share their estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, toward

Variant = Literal["bh1", "bh2"]


class Estimate(NamedTuple):
    """An estimate of x₀ and where it was made.

    Attributes:
        denoised: the estimate.
        time: λ = -log σ.
    """

    denoised: Tensor
    time: float


def sample_uni_pc(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    on_step: StepCallback = no_callback,
    order: int = 3,
    variant: Variant = "bh1",
) -> Tensor:
    """Multistep UniPC for data prediction (Zhao et al. 2023, Algorithms 5 and 6).

    The estimate at a predicted point corrects that point before it serves the next prediction, so a step
    takes one estimate. Orders rise at the start, and fall towards σ = 0, as the last step there is
    infinitely long.

    Args:
        order: of the predictor; the corrector gains one more.
        variant: the paper's B₁(h) = h or B₂(h) = e^h - 1.
    """
    levels = sigmas.tolist()
    steps = len(levels) - 1
    known = [Estimate(denoiser(x, levels[0]), -math.log(levels[0]))]
    for step, (sigma, sigma_next) in enumerate(pairwise(levels), start=1):
        on_step(step, known[-1].denoised)
        steps_to_zero = math.inf if levels[-1] > 0 else steps + 1 - step
        current = known[-int(min(order, step, steps_to_zero)) :]
        predicted = _update(x, current, None, sigma, sigma_next, variant)
        if step == steps:
            return predicted
        found = Estimate(denoiser(predicted, sigma_next), -math.log(sigma_next))
        x = _update(x, current, found, sigma, sigma_next, variant)
        known = [*known, found][-order:]
    return x


def _update(
    x: Tensor,
    known: Sequence[Estimate],
    found: Estimate | None,
    sigma: float,
    sigma_next: float,
    variant: Variant,
) -> Tensor:
    """UniP (Eq. 8), or UniC (Eq. 9) where the estimate at the end of the step has been ``found``."""
    latest, *older = reversed(known)
    x = toward(latest.denoised, x, sigma_next / sigma)
    others = [*older, found] if found else older
    if not others:
        return x
    h = math.log(sigma / sigma_next)
    distances = [(other.time - latest.time) / h for other in others]
    for weight, other, distance in zip(_weights(distances, h, variant), others, distances, strict=True):
        x = x - weight / distance * (other.denoised - latest.denoised)
    return x


def _weights(distances: Sequence[float], h: float, variant: Variant) -> list[float]:
    """B(h) times the solution a of the order conditions R a = b (Eq. 5 to 7), for data prediction (h → -h).

    With a single unknown the paper takes 1/2, which B₁ and B₂ agree on to the order needed.
    """
    scale = -h if variant == "bh1" else math.expm1(-h)
    if len(distances) == 1:
        return [scale / 2]
    conditions = range(len(distances))
    matrix = torch.tensor([[r**k for r in distances] for k in conditions], dtype=torch.float64)
    right = torch.tensor([_phi(k + 1, -h) for k in conditions], dtype=torch.float64)
    weights: list[float] = torch.linalg.solve(matrix, right).tolist()
    return weights


def _phi(k: int, h: float) -> float:
    """k! h φ_(k+1)(h), with φ as in Eq. 4."""
    value = math.expm1(h)
    for i in range(1, k + 1):
        value = value / h - 1 / math.factorial(i)
    return value * math.factorial(k)
