"""What unfinished latents roughly look like, without decoding them.

One latent pixel becomes one pixel. Where the latent space is known a linear map gives its colours;
elsewhere the three principal components stand for red, green and blue, so that shapes show in false
colours.
"""

from __future__ import annotations

import torch
from torch import Tensor

LinearMap = tuple[tuple[tuple[float, float, float], ...], tuple[float, float, float]]
"""Red, green and blue in -1..1 for each latent channel, and what is added to them."""

KL_F8: LinearMap = (
    ((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473)),
    (0.0, 0.0, 0.0),
)
"""The autoencoder of Stable Diffusion 1 and 2, as measured by keturn in 2022:
https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204/2"""

EMOJI: LinearMap = (
    ((-0.027, 0.604, 0.182), (-0.386, -0.080, 0.388), (0.226, 0.174, 0.294), (0.171, -0.264, 0.093)),
    (0.155, 0.078, 0.111),
)
"""The bundled model's, fitted by least squares to 16 of its pictures averaged over 8 x 8 pixels; on 8
others it explains 89, 89 and 96 % of the variance of red, green and blue."""

LATENT_SPACES: dict[tuple[str, int], LinearMap] = {
    ("sd", 768): KL_F8,
    ("sd", 1024): KL_F8,
    ("sd", 192): EMOJI,
}
"""By family and width of the text embeddings: a model's files do not name the latent space it works in,
but the models of one family that differ in it differ in their text encoder too."""

SPREAD = 0.25
"""Standard deviation of a false colour."""
MEASURED = 32
"""Pixels along the longer side from which principal components are taken."""


def latent_colours(latents: Tensor, family: str, text_width: int) -> Tensor:
    """Latents as colours.

    Args:
        latents: ``[channels, height, width]`` in the scale of the denoiser, on any device.
        family: the model's family.
        text_width: width of the text embeddings the model takes.

    Returns:
        float32 ``[height, width, 3]`` in 0..1, on the CPU.
    """
    pixels = latents.float().movedim(0, -1)
    known = LATENT_SPACES.get((family, text_width))
    if known is None or len(known[0]) != len(latents):
        return false_colours(pixels.cpu())
    factors, offset = (torch.tensor(part, device=pixels.device) for part in known)
    return ((pixels @ factors + offset + 1) / 2).nan_to_num(0.5).clamp(0, 1).cpu()


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
