"""Working on a picture in overlapping tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def decode_in_tiles(
    decode: Callable[[Tensor], Tensor], samples: Tensor, *, tile: int, overlap: int, scale: int
) -> Tensor:
    """Decode latents tile by tile and fade the tiles into one another.

    Memory is that of one tile. The result is close to a decode in one piece, not equal: normalisation and
    attention see one tile at a time.

    Args:
        decode: from ``[batch, channels, h, w]`` to ``[batch, h · scale, w · scale, 3]``.
        samples: ``[batch, channels, height, width]``.
        tile: side of a tile, in latent pixels.
        overlap: by how much neighbours overlap, in latent pixels; below ``tile``.

    Returns:
        ``[batch, height · scale, width · scale, 3]``, on the CPU.
    """
    batch, _, height, width = samples.shape
    total = torch.zeros(batch, height * scale, width * scale, 3)
    weights = torch.zeros(1, height * scale, width * scale, 1)
    for top in _starts(height, tile, tile - overlap):
        for left in _starts(width, tile, tile - overlap):
            piece = decode(samples[..., top : top + tile, left : left + tile]).cpu()
            weight = feather(piece.shape[1], piece.shape[2], overlap * scale)
            rows = slice(top * scale, top * scale + piece.shape[1])
            columns = slice(left * scale, left * scale + piece.shape[2])
            total[:, rows, columns] += piece * weight
            weights[:, rows, columns] += weight
    return total / weights


def feather(height: int, width: int, overlap: int) -> Tensor:
    """Weights ``[1, height, width, 1]`` that rise linearly from every edge over ``overlap`` pixels."""
    return (_ramp(height, overlap)[:, None] * _ramp(width, overlap)[None, :])[None, :, :, None]


def _ramp(length: int, overlap: int) -> Tensor:
    to_edge = torch.minimum(torch.arange(1, length + 1), torch.arange(length, 0, -1))
    return (to_edge / (overlap + 1)).clamp(max=1.0)


def _starts(length: int, tile: int, stride: int) -> Iterator[int]:
    """Where tiles begin: every ``stride``, the last one flush with the end."""
    last = max(0, length - tile)
    yield from range(0, last, stride)
    yield last
