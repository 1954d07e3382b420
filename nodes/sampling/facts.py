"""Facts about the latents that a model denoises."""

from __future__ import annotations

import dataclasses

from nodegraph.specs import Spec, require_same


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
