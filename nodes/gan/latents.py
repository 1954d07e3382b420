"""Latent vectors of generators: drawing, truncating, walking between them."""

from __future__ import annotations

import torch


def truncate(latents: torch.Tensor, threshold: float) -> torch.Tensor:
    """Standard normal numbers mapped into -threshold..threshold; their order stays.

    The result follows the truncated normal distribution of the truncation trick (Brock, Donahue,
    Simonyan 2019, "Large Scale GAN Training", section 3.1). Where they draw again whatever lies outside,
    this inverts the distribution function, so a latent moves smoothly as the threshold does.
    """
    limits = torch.special.ndtr(torch.tensor([-threshold, threshold], dtype=torch.float64))
    share = torch.special.ndtr(latents.double())
    inside: torch.Tensor = torch.special.ndtri(limits[0] + share * (limits[1] - limits[0]))
    return inside.clamp(-threshold, threshold).to(latents.dtype)


def slerp(start: torch.Tensor, end: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Points on the arc between two vectors (Shoemake 1985; White 2016, "Sampling Generative Networks").

    Args:
        start: vector ``[size]``.
        end: vector ``[size]``.
        shares: where on the arc, ``[n]`` in 0..1; 0 is the start.

    Returns:
        Vectors ``[n, size]``, on a straight line where the two have (almost) the same direction.
    """
    cosine = torch.nn.functional.cosine_similarity(start.double(), end.double(), dim=0).clamp(-1, 1)
    angle = cosine.arccos()
    if angle.sin() < 1e-6:
        return torch.lerp(start, end, shares[:, None].to(start.dtype))
    weights = torch.stack([(1 - shares.double()) * angle, shares.double() * angle], dim=1).sin() / angle.sin()
    return (weights @ torch.stack([start, end]).double()).to(start.dtype)
