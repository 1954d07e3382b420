"""What unfinished latents roughly look like, without decoding them.

One latent pixel becomes one pixel. Where the latent space is known a linear map gives its colours;
elsewhere the three principal components stand for red, green and blue, so that shapes show in false
colours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nodes.sampling.latent_spaces import LinearMap, linear_map

SPREAD = 0.25
"""Standard deviation of a false colour."""
MEASURED = 32
"""Pixels along the longer side from which principal components are taken."""


def latent_colours(latents: Tensor, family: str, text_width: int | None) -> Tensor:
    """Latents as colours.

    Args:
        latents: ``[channels, height, width]`` in the scale of the denoiser, on any device.
        family: the model's family.
        text_width: width of the text embeddings the model takes, where that is known.

    Returns:
        float32 ``[height, width, 3]`` in 0..1, on the CPU.
    """
    pixels = latents.float().movedim(0, -1)
    known = latent_map(family, text_width, len(latents))
    if known is None:
        return false_colours(pixels.cpu())
    factors, offset = (torch.tensor(part, device=pixels.device) for part in known)
    return ((pixels @ factors + offset + 1) / 2).nan_to_num(0.5).clamp(0, 1).cpu()


def latent_map(family: str, text_width: int | None, channels: int) -> LinearMap | None:
    """The map that tells colours of latents of so many channels; ``None``: theirs are false."""
    known = linear_map(family, text_width)
    return known if known is not None and len(known[0]) == channels else None


def false_colours(pixels: Tensor) -> Tensor:
    """``[height, width, channels]`` as its three principal components, each made equally wide.

    A component's sign is free; it is chosen so that colours do not swap from step to step.
    """
    stride = max(1, max(pixels.shape[:2]) // MEASURED)
    some = pixels[::stride, ::stride].flatten(0, 1)
    if not bool(some.isfinite().all()):
        return torch.full((*pixels.shape[:2], 3), 0.5)
    centre = some.mean(0)
    variances, directions = torch.linalg.eigh((some - centre).T @ (some - centre) / len(some))
    variances, directions = variances[-3:].flip(0), directions[:, -3:].flip(1)
    strongest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    axes = directions * strongest.sign() * SPREAD / variances.clamp(min=1e-12).sqrt()
    axes = torch.nn.functional.pad(axes, (0, 3 - axes.shape[1]))
    return (pixels @ axes + (0.5 - centre @ axes)).nan_to_num(0.5).clamp(0, 1)
