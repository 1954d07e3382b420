"""Encoding and decoding pictures."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.types import Image, Latent, Vae
from nodes.vae.autoencoder import decode, encode
from nodes.vae.pixels import crop_to_multiple
from nodes.vae.tiling import decode_in_tiles, encode_in_tiles

LOW_MEMORY_TILE = 256
TILE_OVERLAP = 64
WHOLE = sys.maxsize
"""The side of a tile that holds every picture."""
MOST_OVERLAP = 4
"""At most a quarter of a tile overlaps its neighbour, as in ComfyUI; a greater overlap is made that."""
TileSize = Annotated[int, Field(ge=64, le=4096, multiple_of=32)]
Overlap = Annotated[int, Field(ge=0, le=4096, multiple_of=32)]
TemporalSize = Annotated[int, Field(ge=8, le=4096, multiple_of=4)]
TemporalOverlap = Annotated[int, Field(ge=4, le=4096, multiple_of=4)]


def infer_encoded(pixels: Spec, vae: Spec) -> dict[str, Any]:
    """Latents of the autoencoder's family, as many times smaller as it scales."""
    facts = {**pixels.known("batch"), **vae.known("family", "latent_channels", "text_width")}
    scale = vae.get("vae_scale")
    for side in ("width", "height"):
        if scale and side in pixels.facts:
            facts[f"latent_{side}"] = pixels.facts[side] // scale
    return facts


def infer_decoded(samples: Spec, vae: Spec) -> dict[str, Any]:
    """Pictures as many times larger as the autoencoder scales."""
    require_same("family", vae=vae, samples=samples)
    require_same("latent_channels", vae=vae, samples=samples)
    facts: dict[str, Any] = {**samples.known("batch"), "channels": 3}
    scale = vae.get("vae_scale")
    for side in ("width", "height"):
        if scale and f"latent_{side}" in samples.facts:
            facts[side] = samples.facts[f"latent_{side}"] * scale
    return facts


def encode_low_memory(ctx: NodeContext, pixels: Image, vae: Vae) -> Latent:
    """``VAEEncode`` in small tiles, for when memory runs out."""
    return VAEEncodeTiled(ctx, pixels, vae, tile_size=LOW_MEMORY_TILE, overlap=TILE_OVERLAP)


@node(
    category="latent",
    display_name="VAE Encode",
    device=True,
    infer=infer_encoded,
    fallback=encode_low_memory,
)
def VAEEncode(ctx: NodeContext, pixels: Image, vae: Vae) -> Latent:
    """Encode pictures to latents; equal pictures give equal latents. In tiles, should memory run out.

    Sides are cropped about the centre to multiples of the autoencoder's scale; alpha is left out.

    Args:
        pixels: the pictures.
        vae: the autoencoder.
    """
    return _encode_items(ctx, pixels, vae, tile=WHOLE, overlap=0)


@node(category="latent", display_name="VAE Encode (Tiled)", device=True, infer=infer_encoded)
def VAEEncodeTiled(
    ctx: NodeContext,
    pixels: Image,
    vae: Vae,
    tile_size: TileSize = 512,
    overlap: Overlap = 64,
    temporal_size: TemporalSize = 64,
    temporal_overlap: TemporalOverlap = 8,
) -> Latent:
    """Encode pictures to latents in overlapping tiles, which takes little memory.

    Latents differ a little from those of ``VAEEncode``; a picture no larger than a tile gives the same.

    Args:
        pixels: the pictures.
        vae: the autoencoder.
        tile_size: side of a tile in pixels.
        overlap: by how many pixels neighbouring tiles overlap; at most a quarter of a tile does.
        temporal_size: for videos; here for workflows of ComfyUI, it changes nothing.
        temporal_overlap: likewise.
    """
    return _encode_items(ctx, pixels, vae, *_tiles(tile_size, overlap, vae))


def decode_low_memory(ctx: NodeContext, samples: Latent, vae: Vae) -> Image:
    """``VAEDecode`` in small tiles, for when memory runs out."""
    return VAEDecodeTiled(ctx, samples, vae, tile_size=LOW_MEMORY_TILE, overlap=TILE_OVERLAP)


@node(
    category="latent",
    display_name="VAE Decode",
    device=True,
    infer=infer_decoded,
    fallback=decode_low_memory,
)
def VAEDecode(ctx: NodeContext, samples: Latent, vae: Vae) -> Image:
    """Decode latents to pictures; in tiles, should memory run out.

    Args:
        samples: the latents.
        vae: the autoencoder.
    """
    _check_channels(samples, vae)
    return _decode_items(ctx, samples, vae, tile=WHOLE, overlap=0)


@node(category="latent", display_name="VAE Decode (Tiled)", device=True, infer=infer_decoded)
def VAEDecodeTiled(
    ctx: NodeContext,
    samples: Latent,
    vae: Vae,
    tile_size: TileSize = 512,
    overlap: Overlap = 64,
    temporal_size: TemporalSize = 64,
    temporal_overlap: TemporalOverlap = 8,
) -> Image:
    """Decode latents to pictures in overlapping tiles, which takes little memory.

    Colours may differ a little from those of ``VAEDecode``; latents no larger than a tile give the same.

    Args:
        samples: the latents.
        vae: the autoencoder.
        tile_size: side of a tile in pixels.
        overlap: by how many pixels neighbouring tiles overlap; at most a quarter of a tile does.
        temporal_size: for videos; here for workflows of ComfyUI, it changes nothing.
        temporal_overlap: likewise.
    """
    _check_channels(samples, vae)
    return _decode_items(ctx, samples, vae, *_tiles(tile_size, overlap, vae))


def _tiles(tile_size: int, overlap: int, vae: Vae) -> tuple[int, int]:
    """Side of a tile and overlap, in latent pixels."""
    return tile_size // vae.scale, min(overlap, tile_size // MOST_OVERLAP) // vae.scale


def _encode_items(ctx: NodeContext, pixels: Image, vae: Vae, tile: int, overlap: int) -> Latent:
    """Item by item, so that neither memory nor a latent depends on the batch."""
    try:
        cropped = crop_to_multiple(pixels.pixels, vae.scale)
    except ValueError as error:
        raise InputError("pixels", str(error)) from error
    with ctx.lease(vae.weights) as module, torch.no_grad():

        def encode_piece(piece: Tensor) -> Tensor:
            return encode(module, piece, vae.scaling_factor, vae.shift_factor)

        latents = [
            encode_in_tiles(encode_piece, item, tile=tile, overlap=overlap, scale=vae.scale)
            for item in torch.split(cropped, 1)
        ]
    return Latent(torch.cat(latents))


def _check_channels(samples: Latent, vae: Vae) -> None:
    channels = samples.samples.shape[1]
    if channels != vae.latent_channels:
        raise InputError("samples", f"{channels} latent channels; the vae decodes {vae.latent_channels}")


def _decode_items(ctx: NodeContext, samples: Latent, vae: Vae, tile: int, overlap: int) -> Image:
    """Item by item, so that neither memory nor a picture depends on the batch."""
    items = torch.split(samples.samples, 1)
    pictures = []
    with ctx.lease(vae.weights) as module, torch.no_grad():

        def decode_piece(piece: Tensor) -> Tensor:
            return decode(module, piece, vae.scaling_factor, vae.shift_factor)

        for done, item in enumerate(items):
            ctx.progress(done, len(items))
            pictures.append(decode_in_tiles(decode_piece, item, tile=tile, overlap=overlap, scale=vae.scale))
        ctx.progress(len(items), len(items))
    return Image(torch.cat(pictures))
