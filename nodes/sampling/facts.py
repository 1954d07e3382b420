"""Facts about the latents that a model denoises."""

from __future__ import annotations

import dataclasses

from nodegraph.specs import Mismatch, Spec, require_same

LATENT_PIXEL = 8
"""Pixels of a picture along one side of a latent pixel."""
FAR_SIZE, FAR_CFG = 4.0, 2.0
"""Models stand that many times as many pixels as they were made for, or as few, and as strong a guidance."""


def latents_of(model: Spec) -> Spec:
    """What is known of the latents that a model denoises: mostly its own family's, not always.

    The width of the model's text embeddings is among it: it tells the latent spaces of a family apart.

    Args:
        model: of a model, or of a guider made with one.
    """
    family = model.known("latent_family").get("latent_family", model.get("family"))
    facts = {
        **model.known("latent_channels", "text_width"),
        **({"family": family} if family is not None else {}),
    }
    return dataclasses.replace(model, facts=facts)


def require_latents(name: str, model: Spec, latent_image: Spec) -> None:
    """Raise ``Mismatch`` unless the latents are such as the model denoises.

    Args:
        name: the input that brings the model.
    """
    own = latents_of(model)
    require_same("family", **{name: own}, latent_image=latent_image)
    require_same("latent_channels", **{name: own}, latent_image=latent_image)


def doubts_about(model: Spec, latent_image: Spec, cfg: Spec) -> tuple[Mismatch, ...]:
    """What can be sampled, but is far from what the model was made for."""
    found = (_doubt_size(model, latent_image), _doubt_cfg(model, cfg))
    return tuple(doubt for doubt in found if doubt)


def _doubt_size(model: Spec, latent_image: Spec) -> Mismatch | None:
    """New pictures count; one that is there already gives what is made from it its composition."""
    side, width, height = model.get("latent_side"), *map(latent_image.get, ("latent_width", "latent_height"))
    if not (latent_image.get("empty") and side and width and height):
        return None
    if 1 / FAR_SIZE <= width * height / side**2 <= FAR_SIZE:
        return None
    own = side * LATENT_PIXEL
    given, expected = f"{width * LATENT_PIXEL}×{height * LATENT_PIXEL}", f"{own}×{own}"
    text = f"the model makes pictures of {expected}; at {given} it gives little but noise or repetitions"
    remedy = {"latent_image.width": own, "latent_image.height": own}
    return Mismatch(text, "latent_image", given=given, expected=expected, code="unusual_size", remedy=remedy)


def _doubt_cfg(model: Spec, cfg: Spec) -> Mismatch | None:
    wanted, value = model.get("cfg"), cfg.value
    if not (wanted and isinstance(value, int | float) and value > FAR_CFG * wanted):
        return None
    text = f"cfg {value:g} is far above the {wanted:g} that suits the model; colours will burn out"
    return Mismatch(
        text,
        "cfg",
        given=f"{value:g}",
        expected=f"{wanted:g}",
        code="unusual_cfg",
        remedy={"cfg": wanted},
    )
