"""Latent spaces whose colours are known: linear maps from latents to red, green and blue."""

from __future__ import annotations

LinearMap = tuple[tuple[tuple[float, float, float], ...], tuple[float, float, float]]
"""Red, green and blue in -1..1 for each latent channel, and what is added to them."""

NOTHING = (0.0, 0.0, 0.0)

KL_F8: LinearMap = (
    ((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473)),
    NOTHING,
)
"""The autoencoder of Stable Diffusion 1 and 2, as measured by keturn in 2022:
https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204/2"""

SDXL: LinearMap = (
    (
        (0.3816, 0.4930, 0.5320),
        (-0.3753, 0.1631, 0.1739),
        (0.1770, 0.3588, -0.2048),
        (-0.4350, -0.2644, -0.4289),
    ),
    NOTHING,
)
"""The autoencoder of Stable Diffusion XL, as measured by StAlKeR7779 for InvokeAI
(invokeai/app/util/step_callback.py, Apache-2.0), as are the next two by InvokeAI."""

SD3: LinearMap = (
    (
        (-0.0524, 0.0325, 0.0749),
        (-0.0581, 0.0076, 0.0573),
        (0.1614, 0.0127, -0.0377),
        (0.1442, 0.0846, 0.1594),
        (0.0489, 0.0056, -0.0669),
        (0.0519, 0.1922, 0.0626),
        (0.1539, 0.0482, 0.0710),
        (-0.0860, 0.0901, 0.1089),
        (-0.1240, -0.0677, 0.0034),
        (-0.0440, 0.0783, 0.0226),
        (0.0310, 0.0638, 0.0775),
        (-0.0132, 0.0855, -0.0877),
        (0.0646, 0.0591, 0.1326),
        (-0.0786, -0.0226, -0.1276),
        (-0.0992, -0.0801, -0.0626),
        (-0.0339, -0.0804, -0.0608),
    ),
    NOTHING,
)
"""The autoencoder of Stable Diffusion 3 and 3.5."""

FLUX: LinearMap = (
    (
        (-0.0412, 0.0149, 0.0521),
        (0.0056, 0.0291, 0.0768),
        (0.0342, -0.0681, -0.0427),
        (-0.0258, 0.0092, 0.0463),
        (0.0863, 0.0784, 0.0547),
        (-0.0017, 0.0402, 0.0158),
        (0.0501, 0.1058, 0.1152),
        (-0.0209, -0.0218, -0.0329),
        (-0.0314, 0.0083, 0.0896),
        (0.0851, 0.0665, -0.0472),
        (-0.0534, 0.0238, -0.0024),
        (0.0452, -0.0026, 0.0048),
        (0.0892, 0.0831, 0.0881),
        (-0.1117, -0.0304, -0.0789),
        (0.0027, -0.0479, -0.0043),
        (-0.1146, -0.0827, -0.0598),
    ),
    NOTHING,
)
"""The autoencoder of FLUX.1."""

EMOJI: LinearMap = (
    ((-0.027, 0.604, 0.182), (-0.386, -0.080, 0.388), (0.226, 0.174, 0.294), (0.171, -0.264, 0.093)),
    (0.155, 0.078, 0.111),
)
"""The bundled model's, fitted by least squares to 16 of its pictures averaged over 8 x 8 pixels; on 8
others it explains 89, 89 and 96 % of the variance of red, green and blue."""

_BY_WIDTH = {768: KL_F8, 1024: KL_F8, 192: EMOJI}
"""Stable Diffusion by width of the text embeddings: a model's files do not name the latent space it works in,
but the models of that family that differ in it differ in their text encoder too."""
_BY_FAMILY = {"sdxl": SDXL, "sdxl_refiner": SDXL, "sd3": SD3, "flux": FLUX}


def linear_map(family: str, text_width: int | None) -> LinearMap | None:
    """The map of a family's latents; ``None`` where none is known.

    Args:
        family: the model's family.
        text_width: width of the text embeddings the model takes, where that is known.
    """
    return _BY_WIDTH.get(text_width or 0) if family == "sd" else _BY_FAMILY.get(family)


TINY = {"sdxl": "taesdxl", "sdxl_refiner": "taesdxl", "sd3": "taesd3", "flux": "taef1"}
"""Names of the tiny autoencoders for the latents of a family."""


def tiny_autoencoder(family: str, text_width: int) -> str | None:
    """The name of the tiny autoencoder that decodes a family's latents; ``None`` where there is none.

    Args:
        family: the model's family.
        text_width: width of the text embeddings the model takes.
    """
    if family == "sd":
        return "taesd" if linear_map(family, text_width) is KL_F8 else None
    return TINY.get(family)
