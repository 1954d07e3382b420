"""Denoisers whose every solution is known: data from Gaussians and from mixtures of them.

On a path x = α x₀ + σ ε a mixture component N(m, s²) has the marginal N(α m, α² s² + σ²). In one dimension
the probability-flow ODE moves every point along its quantile, so that its exact solution is the inverse of
one distribution function after another.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nodes.sampling.path import Path

WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)
MEANS = torch.tensor([-1.0, 0.8], dtype=torch.float64)
DEVIATIONS = torch.tensor([0.35, 0.5], dtype=torch.float64)

MEAN = torch.tensor([0.5, -0.2], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.6, 0.25], [0.25, 0.4]], dtype=torch.float64)


def mixture_denoiser(path: Path) -> Callable[[Tensor, float], Tensor]:
    """E[x₀ | x] for every element of x by itself."""

    def denoise(x: Tensor, sigma: float) -> Tensor:
        alpha, each = path.alpha(sigma), x[..., None]
        variance = (alpha * DEVIATIONS) ** 2 + sigma**2
        away = each - alpha * MEANS
        shares = (WEIGHTS.log() - variance.log() / 2 - away**2 / (2 * variance)).softmax(-1)
        return (shares * (MEANS + alpha * DEVIATIONS**2 / variance * away)).sum(-1)

    return denoise


def mixture_quantiles(path: Path, sigma: float, levels: Tensor) -> Tensor:
    """Where the distribution function of the marginal at ``sigma`` reaches ``levels``, by bisection."""
    alpha = path.alpha(sigma)
    deviation = ((alpha * DEVIATIONS) ** 2 + sigma**2).sqrt()
    low, high = torch.full_like(levels, -200.0), torch.full_like(levels, 200.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = torch.special.ndtr((middle[..., None] - alpha * MEANS) / deviation) @ WEIGHTS
        low, high = torch.where(below < levels, middle, low), torch.where(below < levels, high, middle)
    return (low + high) / 2


def gaussian_denoiser(path: Path) -> Callable[[Tensor, float], Tensor]:
    """E[x₀ | x] for data from N(MEAN, COVARIANCE) in the two channels of ``[batch, 2, 1, 1]``."""

    def denoise(x: Tensor, sigma: float) -> Tensor:
        alpha = path.alpha(sigma)
        gain = alpha * COVARIANCE @ torch.linalg.inv(marginal(path, sigma)[1])
        return (MEAN + (x[..., 0, 0] - alpha * MEAN) @ gain.T)[..., None, None]

    return denoise


def consistency_function(path: Path) -> Callable[[Tensor, float], Tensor]:
    """Where the ODE takes x to at σ = 0, for the same data: what a perfect consistency model gives."""

    def jump(x: Tensor, sigma: float) -> Tensor:
        values, vectors = torch.linalg.eigh(COVARIANCE)
        alpha = path.alpha(sigma)
        scale = (values / (alpha**2 * values + sigma**2)).sqrt()
        along = (x[..., 0, 0] - alpha * MEAN) @ vectors
        return (MEAN + (along * scale) @ vectors.T)[..., None, None]

    return jump


def marginal(path: Path, sigma: float) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the data of ``gaussian_denoiser`` at a noise level."""
    alpha = path.alpha(sigma)
    return alpha * MEAN, alpha**2 * COVARIANCE + sigma**2 * torch.eye(2, dtype=torch.float64)


class BasisNoise:
    """Standard normal noise of a Brownian path, as a sum of independent parts that are tracked one by one.

    Asked for the first time it notes which intervals there are; after ``split`` the batch has one item for
    each component of each part, and the noise of an item is that part's share and nothing else. A sampler
    that is linear in its noise thus shows the covariance of what it gives, without drawing a number.
    """

    def __init__(self) -> None:
        self._ends: set[float] = set()
        self._grid: Tensor | None = None

    def split(self) -> int:
        """Use the intervals seen so far; how many independent parts there are."""
        self._grid = torch.tensor(sorted(self._ends), dtype=torch.float64)
        return max(len(self._grid) - 1, 0)

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        if self._grid is None:
            self._ends |= {sigma, sigma_next}
            return torch.zeros(1, 2, 1, 1, dtype=torch.float64)
        low, high = self._grid[:-1], self._grid[1:]
        within = (sigma_next <= low) & (high <= sigma)
        shares = ((high - low) / (sigma - sigma_next)).sqrt() * within
        noise = shares[:, None, None] * torch.eye(2, dtype=torch.float64)
        silent = torch.zeros(3, 2, dtype=torch.float64)
        return torch.cat([silent, noise.flatten(0, 1)])[..., None, None]


def moments(solve: Callable[[Tensor, BasisNoise], Tensor], path: Path, sigma: float) -> tuple[Tensor, Tensor]:
    """Exact mean and covariance of what a sampler gives from the exact marginal at its first level ``sigma``.

    Args:
        solve: runs the sampler on ``[batch, 2, 1, 1]``; it must be affine in x and the noise.
    """
    mean, covariance = marginal(path, sigma)
    noise = BasisNoise()
    solve(mean[None, :, None, None], noise)
    parts = noise.split()
    start = mean.repeat(3 + 2 * parts, 1)
    start[1:3] += torch.eye(2, dtype=torch.float64)
    end = solve(start[..., None, None], noise)[..., 0, 0]
    response = end[1:] - end[0]
    along = response[:2].T
    return end[0], along @ covariance @ along.T + response[2:].T @ response[2:]
