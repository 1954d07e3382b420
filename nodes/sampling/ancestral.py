"""A step of the ODE that goes too far, and the noise that brings it back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from nodes.sampling.path import Path


@dataclass(frozen=True)
class AncestralStep:
    """How a step to a noise level is divided.

    Attributes:
        down: the level the ODE is followed to.
        scale: what x is multiplied with there; other than 1 only where α changes.
        up: standard deviation of the noise that is added.
    """

    down: float
    scale: float
    up: float

    def renoised(self, x: Tensor, noise: Tensor) -> Tensor:
        """``x`` of level ``down``, brought up again with standard normal ``noise``."""
        return self.scale * x + self.up * noise


def ancestral_step(path: Path, sigma: float, sigma_next: float, eta: float = 1.0) -> AncestralStep:
    """Divide the step so that the noise level comes out right whatever ``eta`` (0: no noise) is.

    With α = 1 the noise is ``eta`` times that of the posterior q(x′ | x, x₀) (Ho et al. 2020, Eq. 7; Song et
    al. 2021, Eq. 16). On a flow's path, which has no such posterior in its literature, ``eta`` shortens the
    level itself, as the field does it; at ``eta`` 1 both are σ′²/σ.
    """
    ratio = sigma_next / sigma
    if path.kind == "variance_exploding":
        down = sigma_next * math.sqrt(max(1 - eta**2 * (1 - ratio**2), 0.0))
    else:
        down = sigma_next * max(1 - eta * (1 - ratio), 0.0)
    return AncestralStep(down, *path.raising(down, sigma_next))
