"""One picture laid over another."""

from __future__ import annotations

import torch

from nodes.images.colour import with_channels


def paste(
    destination: torch.Tensor, source: torch.Tensor, coverage: torch.Tensor, x: int, y: int
) -> torch.Tensor:
    """A copy of ``destination`` with ``source`` over it; what lies outside is left out.

    Args:
        destination: ``[batch, height, width, 1|3|4]``.
        source: ``[batch or 1, h, w, 1|3|4]``.
        coverage: ``[batch or 1, h, w]`` in 0..1: how much of the source shows.
        x: column of the destination where the left edge of the source lies.
        y: row of the destination where its upper edge lies.
    """
    result = destination.clone()
    rows = slice(max(0, y), max(0, min(destination.shape[1], y + source.shape[1])))
    columns = slice(max(0, x), max(0, min(destination.shape[2], x + source.shape[2])))
    own_rows = slice(rows.start - y, rows.stop - y)
    own_columns = slice(columns.start - x, columns.stop - x)
    if rows.stop > rows.start and columns.stop > columns.start:
        visible = source[:, own_rows, own_columns]
        result[:, rows, columns] = over(
            destination[:, rows, columns], visible, coverage[:, own_rows, own_columns, None]
        )
    return result


def over(backdrop: torch.Tensor, source: torch.Tensor, coverage: torch.Tensor) -> torch.Tensor:
    """``source`` over ``backdrop`` where ``coverage`` and its own alpha let it show.

    The operator "over" of Porter and Duff (1984, "Compositing Digital Images"), for colours that are not
    premultiplied.
    """
    if source.shape[-1] == 4:
        coverage = coverage * source[..., 3:]
    if backdrop.shape[-1] < 4:
        return torch.lerp(backdrop, with_channels(source, backdrop.shape[-1]), coverage)
    below = backdrop[..., 3:] * (1 - coverage)
    alpha = coverage + below
    colour = with_channels(source, 3) * coverage + backdrop[..., :3] * below
    return torch.cat([colour / alpha.clamp(min=1e-6), alpha], dim=-1)
