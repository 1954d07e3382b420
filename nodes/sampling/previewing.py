"""How a run shows its unfinished latents: by a tiny autoencoder if one is there, else by a linear map."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nodegraph import NodeContext
from nodegraph.errors import FileProblem
from nodes.checkpoints.tiny import DecoderKind, TinyDecoderRecipe
from nodes.sampling.latent_spaces import tiny_autoencoder
from nodes.sampling.preview import latent_colours
from nodes.types import Model

logger = logging.getLogger(__name__)

FOLDER, ENDING = "vae_approx", "_decoder.safetensors"
COLOURS, SCALE = 3, 8
"""Channels of a preview, and its pixels along a side of one latent pixel."""
LONGEST = 64
"""Latent pixels along the longer side that are decoded: they are 512 pixels, and more are never shown. Larger
latents are shrunk, so that a preview takes little time and memory."""

Colours = Callable[[Tensor], Tensor]
"""From latents ``[channels, height, width]`` to a picture ``[height, width, 3]`` in 0..1, on the CPU."""


def colours_of(ctx: NodeContext, leases: ExitStack, model: Model) -> Colours:
    """How to show the latents of a model, for as long as ``leases`` last.

    A file of a tiny autoencoder that cannot be used is told in the log; a run does not fail for its preview.
    """
    linear = partial(latent_colours, family=model.family, text_width=model.text_width)
    name = tiny_autoencoder(model.family, model.text_width)
    recipe = _decoder(ctx, f"{name}{ENDING}") if name else None
    if recipe is None:
        return linear
    try:
        _check_kind(recipe, recipe.kind(ctx), model)
        return partial(decoded_colours, decoder=leases.enter_context(ctx.lease(recipe)))
    except FileProblem as problem:
        logger.warning("previews are in plain colours: %s", problem)
        return linear


def decoded_colours(latents: Tensor, decoder: Any) -> Tensor:
    """Latents as a picture.

    Args:
        latents: ``[channels, height, width]`` in the scale of the denoiser, on the decoder's device.
        decoder: diffusers' ``DecoderTiny``.

    Returns:
        float32 ``[height · 8, width · 8, 3]`` in 0..1, on the CPU; smaller where the latents are large.
    """
    longest = max(latents.shape[1:])
    items = latents[None]
    if longest > LONGEST:
        size = [max(1, side * LONGEST // longest) for side in latents.shape[1:]]
        items = torch.nn.functional.interpolate(items, size, mode="area")
    pixels: Tensor = decoder(items.to(next(decoder.parameters()).dtype))[0]
    return (pixels.float() / 2 + 0.5).nan_to_num(0.5).clamp(0, 1).movedim(0, -1).cpu()


def _check_kind(recipe: TinyDecoderRecipe, kind: DecoderKind, model: Model) -> None:
    """Raise ``FileProblem`` unless it makes colours, eightfold, of the model's latents.

    Other scales are no mere matter of looks: at 128-fold one preview would be 8192 pixels wide.
    """
    wanted = DecoderKind(model.latent_channels, COLOURS, SCALE)
    if kind != wanted:
        raise FileProblem(f"{recipe.file.name!r} decodes {kind}; the model's previews take {wanted}")


def _decoder(ctx: NodeContext, name: str) -> TinyDecoderRecipe | None:
    """The decoder's file, where it is there."""
    try:
        return TinyDecoderRecipe(ctx.resolve(FOLDER, name))
    except FileProblem:
        return None
