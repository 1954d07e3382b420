"""Blend modes: colours in 0..1, backdrop below and source above.

Formulas of W3C, Compositing and Blending Level 1, section 10.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Blend = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def normal(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """The source covers the backdrop."""
    return source


def multiply(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Never lighter than either."""
    return backdrop * source


def screen(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Never darker than either."""
    return backdrop + source - backdrop * source


def overlay(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Multiplies where the backdrop is dark and screens where it is light."""
    return torch.where(backdrop <= 0.5, multiply(2 * backdrop, source), screen(2 * backdrop - 1, source))


def soft_light(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Darkens or lightens with the source, without reaching black or white."""
    polynomial = ((16 * backdrop - 12) * backdrop + 4) * backdrop
    lifted = torch.where(backdrop <= 0.25, polynomial, backdrop.clamp(min=0).sqrt())
    darker = backdrop - (1 - 2 * source) * backdrop * (1 - backdrop)
    lighter = backdrop + (2 * source - 1) * (lifted - backdrop)
    return torch.where(source <= 0.5, darker, lighter)


def difference(backdrop: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """How far the two are apart."""
    return (backdrop - source).abs()


BLEND_MODES: dict[str, Blend] = {
    "normal": normal,
    "multiply": multiply,
    "screen": screen,
    "overlay": overlay,
    "soft_light": soft_light,
    "difference": difference,
}
