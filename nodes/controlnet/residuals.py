"""What ControlNets add to a U-Net."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nodes.sampling.condition import Control

Residuals = tuple[tuple[Tensor, ...] | None, Tensor | None]


def control_residuals(
    controls: Sequence[Control],
    z: Tensor,
    timestep: Tensor,
    context: Tensor,
    sigma: float,
    added: dict[str, Tensor] | None = None,
) -> Residuals:
    """The sum of the residuals of all ControlNets at work at noise level ``sigma`` (Zhang et al. 2023).

    Args:
        z: the U-Net's input, ``[n · batch, channels, height, width]``.
        context: text embeddings ``[n · batch, tokens, width]``.
        added: what SDXL's networks are told besides: pooled vectors and sizes.

    Returns:
        One residual per skip connection and the one of the middle block; ``None`` twice where no
        ControlNet is at work.
    """
    down: tuple[Tensor, ...] | None = None
    mid: Tensor | None = None
    for control in controls:
        if not control.sigma_end <= sigma <= control.sigma_start:
            continue
        own_down, own_mid = control.network(
            z,
            timestep,
            encoder_hidden_states=context,
            controlnet_cond=_hint_for(control.hint, len(z)).to(z.dtype),
            conditioning_scale=control.strength,
            added_cond_kwargs=added,
            return_dict=False,
        )
        down = _sum(down, tuple(own_down))
        mid = own_mid if mid is None else mid + own_mid
    return down, mid


def _hint_for(hint: Tensor, items: int) -> Tensor:
    return hint.repeat(items // len(hint), 1, 1, 1)


def _sum(first: tuple[Tensor, ...] | None, second: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return second if first is None else tuple(a + b for a, b in zip(first, second, strict=True))
