"""What ControlNets and T2I-Adapters add to a U-Net together."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nodes.sampling.condition import Added, Control, Residuals


def control_residuals(
    controls: Sequence[Control],
    z: Tensor,
    timestep: Tensor,
    context: Tensor,
    sigma: float,
    added: Added | None = None,
) -> Residuals:
    """The sum of the residuals of all that is at work at noise level ``sigma``.

    Args:
        z: the U-Net's input, ``[n · batch, channels, height, width]``.
        context: text embeddings ``[n · batch, tokens, width]``.
        added: what SDXL's networks are told besides.
    """
    total = Residuals()
    for control in controls:
        if control.sigma_end <= sigma <= control.sigma_start:
            total = _sum(total, control.network(z, timestep, context, added))
    return total


def _sum(one: Residuals, other: Residuals) -> Residuals:
    middle = other.middle if one.middle is None else one.middle
    if one.middle is not None and other.middle is not None:
        middle = one.middle + other.middle
    return Residuals(_each(one.skips, other.skips), middle, _each(one.levels, other.levels))


def _each(one: tuple[Tensor, ...] | None, other: tuple[Tensor, ...] | None) -> tuple[Tensor, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(a + b for a, b in zip(one, other, strict=True))
