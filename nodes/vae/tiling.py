"""Working on a picture in overlapping tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def decode_in_tiles(
    decode: Callable[[Tensor], Tensor], samples: Tensor, *, tile: int, overlap: int, scale: int
) -> Tensor:
    """Decode latents tile by tile and fade the tiles into one another.

    Memory is that of one tile. The result is close to a decode in one piece, and equal if one tile is
    enough: normalisation and attention see one tile at a time.

    Args:
        decode: from ``[batch, channels, h, w]`` to ``[batch, h · scale, w · scale, 3]``.
        samples: ``[batch, channels, height, width]``.
        tile: side of a tile, in latent pixels.
        overlap: by how much neighbours overlap, in latent pixels; below ``tile``.

    Returns:
        ``[batch, height · scale, width · scale, 3]``, on the CPU.
    """

    def planes(piece: Tensor) -> Tensor:
        return decode(piece).movedim(-1, 1)

    return _in_tiles(planes, samples, tile, overlap, writes=scale).movedim(1, -1)


def encode_in_tiles(
    encode: Callable[[Tensor], Tensor], pixels: Tensor, *, tile: int, overlap: int, scale: int
) -> Tensor:
    """Encode pictures tile by tile, as ``decode_in_tiles`` decodes latents.

    Args:
        encode: from ``[batch, h · scale, w · scale, channels]`` to ``[batch, latent channels, h, w]``.
        pixels: ``[batch, height, width, channels]``; sides multiples of ``scale``.
        tile: side of a tile, in latent pixels.
        overlap: by how much neighbours overlap, in latent pixels; below ``tile``.

    Returns:
        ``[batch, latent channels, height / scale, width / scale]``, on the CPU.
    """

    def latents(piece: Tensor) -> Tensor:
        return encode(piece.movedim(1, -1))

    return _in_tiles(latents, pixels.movedim(-1, 1), tile, overlap, reads=scale)


def _in_tiles(
    work: Callable[[Tensor], Tensor], source: Tensor, tile: int, overlap: int, reads: int = 1, writes: int = 1
) -> Tensor:
    """The weighted mean of what ``work`` makes of every tile of ``[batch, channels, height, width]``.

    Args:
        reads: pixels of the source along a side of one latent pixel.
        writes: pixels of the result likewise.
    """
    height, width = (side // reads for side in source.shape[-2:])
    if max(height, width) <= tile:
        return work(source).cpu()
    total, weights = torch.zeros(()), torch.zeros(height * writes, width * writes)
    for top in _starts(height, tile, tile - overlap):
        for left in _starts(width, tile, tile - overlap):
            piece = work(source[(..., *_window(top, left, tile, reads))]).cpu()
            if not total.ndim:
                total = torch.zeros(*piece.shape[:2], *weights.shape)
            window = _window(top, left, tile, writes)
            weight = feather(piece.shape[-2], piece.shape[-1], overlap * writes)
            total[(..., *window)] += piece * weight
            weights[window] += weight
    return total / weights


def _window(top: int, left: int, tile: int, scale: int) -> tuple[slice, slice]:
    return slice(top * scale, (top + tile) * scale), slice(left * scale, (left + tile) * scale)


def feather(height: int, width: int, overlap: int) -> Tensor:
    """Weights ``[height, width]`` that rise linearly from every edge over ``overlap`` pixels."""
    return _ramp(height, overlap)[:, None] * _ramp(width, overlap)[None, :]


def _ramp(length: int, overlap: int) -> Tensor:
    to_edge = torch.minimum(torch.arange(1, length + 1), torch.arange(length, 0, -1))
    return (to_edge / (overlap + 1)).clamp(max=1.0)


def _starts(length: int, tile: int, stride: int) -> Iterator[int]:
    """Where tiles begin: every ``stride``, the last one flush with the end."""
    last = max(0, length - tile)
    yield from range(0, last, stride)
    yield last
