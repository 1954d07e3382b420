"""How the estimates for several prompts become the one a sampler follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from nodes.sampling.combining import weighted_mean, with_matching_areas
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import ConditionalDenoiser, Denoiser

Estimates = Callable[[Tensor, float], Sequence[Tensor]]
"""The estimate of x₀ of each side of the guidance, at one x and noise level."""

Formula = Callable[[Tensor, float, Tensor, Tensor, float], Tensor]
"""Guidance between two sides: of x, σ, the estimate to go toward, the one to go away from, and the scale."""


def side_estimates(denoiser: ConditionalDenoiser, sides: Sequence[Sequence[Condition]]) -> Estimates:
    """The estimates of all sides from as few forwards as can be.

    A side's conditions count where, when and as much as each says.
    """
    matched = with_matching_areas(sides)

    def estimate(x: Tensor, sigma: float) -> list[Tensor]:
        active = [[condition for condition in side if condition.counts_at(sigma)] for side in matched]
        found = iter(denoiser(x, sigma, [condition for side in active for condition in side]))
        return [weighted_mean(x, side, [next(found) for _ in side]) for side in active]

    return estimate


def classifier_free(x: Tensor, sigma: float, toward: Tensor, away: Tensor, cfg: float) -> Tensor:
    """Classifier-free guidance (Ho and Salimans 2022, Eq. 6): D = D₋ + cfg (D₊ - D₋)."""
    return away + cfg * (toward - away)


class Guidance:
    """How many sides there are and what is made of them."""

    def sides(self, formula: Formula) -> int:
        """How many sides, counted from the first, have to be estimated."""
        raise NotImplementedError(f"{type(self).__name__} names no sides")

    def combine(self, formula: Formula, x: Tensor, sigma: float, sides: Sequence[Tensor]) -> Tensor:
        """The estimate to follow."""
        raise NotImplementedError(f"{type(self).__name__} does not combine sides")


@dataclass(frozen=True)
class Unguided(Guidance):
    """One side, which is followed as it is."""

    def sides(self, formula: Formula) -> int:
        """One."""
        return 1

    def combine(self, formula: Formula, x: Tensor, sigma: float, sides: Sequence[Tensor]) -> Tensor:
        """The side's own estimate."""
        return sides[0]


@dataclass(frozen=True)
class ClassifierFree(Guidance):
    """Toward the positive, away from the negative side.

    Attributes:
        cfg: how far; 1 is the positive side alone, so that the other is not computed.
    """

    cfg: float

    def sides(self, formula: Formula) -> int:
        """Positive and negative."""
        return 1 if self.cfg == 1.0 and formula is classifier_free else 2

    def combine(self, formula: Formula, x: Tensor, sigma: float, sides: Sequence[Tensor]) -> Tensor:
        """The formula between the two."""
        return sides[0] if len(sides) == 1 else formula(x, sigma, sides[0], sides[1], self.cfg)


@dataclass(frozen=True)
class DualClassifierFree(Guidance):
    """Two prompts and a negative one (Brooks et al. 2023, Eq. 3).

    Attributes:
        cfg_conds: how far the first prompt is followed beyond the second.
        cfg_cond2_negative: how far the second is followed beyond the negative one.
        style: ``regular`` adds the two differences; ``nested`` guides between the negative side and what
            the guidance between the prompts gives.
    """

    cfg_conds: float
    cfg_cond2_negative: float
    style: Literal["regular", "nested"] = "regular"

    def sides(self, formula: Formula) -> int:
        """First prompt, second prompt, negative."""
        return 3

    def combine(self, formula: Formula, x: Tensor, sigma: float, sides: Sequence[Tensor]) -> Tensor:
        """Both guidances."""
        first, second, negative = sides
        if self.style == "nested":
            inner = formula(x, sigma, first, second, self.cfg_conds)
            return formula(x, sigma, inner, negative, self.cfg_cond2_negative)
        outer = formula(x, sigma, second, negative, self.cfg_cond2_negative)
        return outer + self.cfg_conds * (first - second)


@dataclass(frozen=True)
class Correction:
    """Away from what a worse denoiser says of the first side.

    Attributes:
        worse: the denoiser.
        scale: how far.
    """

    worse: Denoiser
    scale: float


def guided(
    denoiser: ConditionalDenoiser,
    sides: Sequence[Sequence[Condition]],
    guidance: Guidance,
    formula: Formula = classifier_free,
    corrections: Sequence[Correction] = (),
) -> Denoiser:
    """The denoiser a sampler follows.

    Args:
        denoiser: estimates x₀ under conditions.
        sides: the conditions of each side, as many as the guidance knows.
        guidance: what is made of the sides.
        formula: guidance between two of them.
        corrections: further guidance of the first side.
    """
    estimates = side_estimates(denoiser, sides[: guidance.sides(formula)])

    def denoise(x: Tensor, sigma: float) -> Tensor:
        found = estimates(x, sigma)
        followed = guidance.combine(formula, x, sigma, found)
        for correction in corrections:
            followed = followed + correction.scale * (found[0] - correction.worse(x, sigma))
        return followed

    return denoise
