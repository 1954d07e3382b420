"""Losses of style transfer (Gatys, Ecker, Bethge 2016, "Image Style Transfer Using CNNs").

Features are ``[batch, maps, height, width]``: the paper's F with N maps and M = height x width positions.
"""

from __future__ import annotations

import torch


def gram_matrix(features: torch.Tensor) -> torch.Tensor:
    """Correlations of the feature maps: G = F Fᵀ / M (eq. 3, made independent of the picture's size).

    Args:
        features: ``[batch, maps, height, width]``.

    Returns:
        ``[batch, maps, maps]``.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_distance(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """E = 1 / (4 N²) Σ (G - A)² of one layer (eq. 4), the mean of the batch.

    Args:
        features: ``[batch, maps, height, width]`` of the picture.
        target: Gram matrix A, ``[maps, maps]``, of the style.
    """
    return (gram_matrix(features) - target).square().mean() / 4


def content_distance(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """½ (F - P)² of one layer, the mean of its numbers where eq. 1 has their sum.

    So the weight of a loss means the same for every layer and every size of picture.

    Args:
        features: ``[batch, maps, height, width]`` of the picture.
        target: features P of the content, of the same shape.
    """
    return (features - target).square().mean() / 2


def total_variation(pictures: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of neighbouring pixels, across and down.

    Mahendran, Vedaldi 2015, "Understanding Deep Image Representations", section 3, with β = 2.

    Args:
        pictures: ``[batch, channels, height, width]``.
    """
    across = (pictures[..., :, 1:] - pictures[..., :, :-1]).square().sum()
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).square().sum()
    return (across + down) / pictures.numel()
