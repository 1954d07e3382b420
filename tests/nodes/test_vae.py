"""Between pixels and latents."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from diffusion_support import (
    SIDE,
    TestContext,
    checkpoint,
    context,
    decoded,
    folders,
    pipeline,
    sampled,
)
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodegraph.graph import build_graph
from nodegraph.registry import NodeRegistry
from nodegraph.specs import Mismatch, Spec
from nodegraph.validation import validate
from nodegraph.workflow.comfy import export_comfy, import_comfy
from nodes.latents.nodes import EmptyLatentImage
from nodes.types import Image, Latent
from nodes.vae.nodes import (
    VAEDecode,
    VAEDecodeTiled,
    VAEEncode,
    VAEEncodeTiled,
    infer_decoded,
    infer_encoded,
)
from nodes.vae.pixels import crop_to_multiple, to_rgb
from nodes.vae.tiling import decode_in_tiles, encode_in_tiles

NEAR_PIXELS = 0.015
"""Mean difference of decoding in tiles, of pixels in 0..1."""
NEAR_LATENTS = 0.001
"""Mean squared difference of encoding in tiles, as a share of the variance of the latents."""


def vae():
    return checkpoint().vae


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def latents(batch=1, height=16, width=16):
    return torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(0))


def test_encoding_is_the_scaled_mode_of_the_posterior():
    pixels = noise(2, 64, 48, 3)
    theirs = pipeline().vae
    with torch.no_grad():
        mode = theirs.encode(pixels.movedim(-1, 1) * 2 - 1).latent_dist.mode()
    samples = VAEEncode(context(), Image(pixels), vae()).samples
    assert samples.shape == (2, 4, 8, 6)
    torch.testing.assert_close(samples, mode * theirs.config.scaling_factor, atol=1e-5, rtol=1e-5)


def test_encoding_twice_gives_the_same():
    image = Image(noise(1, 64, 64, 3))
    first, second = (VAEEncode(context(), image, vae()).samples for _ in range(2))
    assert torch.equal(first, second)


def test_decoding_is_that_of_diffusers():
    theirs, samples = pipeline().vae, latents()
    with torch.no_grad():
        signal = theirs.decode(samples / theirs.config.scaling_factor).sample
    expected = (signal / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(VAEDecode(context(), Latent(samples), vae()).pixels, expected)


def test_a_shift_factor_is_undone_by_decoding():
    shifted = dataclasses.replace(vae(), shift_factor=0.1)
    image = Image(noise(1, 64, 64, 3))
    plain, moved = VAEEncode(context(), image, vae()), VAEEncode(context(), image, shifted)
    torch.testing.assert_close(moved.samples, plain.samples - 0.1 * vae().scaling_factor, atol=1e-5, rtol=0)
    back = VAEDecode(context(), moved, shifted).pixels
    torch.testing.assert_close(back, VAEDecode(context(), plain, vae()).pixels, atol=1e-4, rtol=0)


def test_a_picture_survives_there_and_back():
    picture = decoded(sampled(steps=8))
    back = VAEDecode(context(), VAEEncode(context(), picture, vae()), vae())
    error = float((back.pixels - picture.pixels).pow(2).mean())
    assert -10 * math.log10(error) > 25


def test_items_of_a_batch_are_those_made_alone():
    samples = latents(batch=3)
    together = VAEDecode(context(), Latent(samples), vae()).pixels
    alone = VAEDecode(context(), Latent(samples[1:2]), vae()).pixels
    assert torch.equal(together[1:2], alone)


def test_odd_sizes_are_cropped_about_the_centre():
    pixels = noise(1, 37, 50, 3)
    samples = VAEEncode(context(), Image(pixels), vae()).samples
    assert samples.shape == (1, 4, 4, 6)
    inner = Image(pixels[:, 2:34, 1:49].contiguous())
    assert torch.equal(samples, VAEEncode(context(), inner, vae()).samples)


def test_pictures_smaller_than_a_latent_pixel_are_refused():
    with pytest.raises(InputError, match="pixels: 5x64 pixels; both sides must be at least 8"):
        VAEEncode(context(), Image(noise(1, 64, 5, 3)), vae())


def test_grey_is_repeated_and_alpha_left_out():
    grey, rgba = noise(1, 2, 2, 1), noise(1, 2, 2, 4)
    assert torch.equal(to_rgb(grey), grey.repeat(1, 1, 1, 3))
    assert torch.equal(to_rgb(rgba), rgba[..., :3])


def test_latents_of_another_autoencoder_are_refused():
    for decode in (VAEDecode, VAEDecodeTiled):
        with pytest.raises(InputError, match="samples: 16 latent channels; the vae decodes 4"):
            decode(context(), Latent(torch.zeros(1, 16, 8, 8)), vae())


def local_decode(samples):
    """A decoder without normalisation or attention: each latent pixel becomes 8x8 pixels."""
    return samples[:, :3].repeat_interleave(8, 2).repeat_interleave(8, 3).movedim(1, -1)


TILINGS = given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(2, 16),
    overlap=st.integers(0, 8),
)


@TILINGS
def test_tiles_cover_the_picture_without_seams(height, width, tile, overlap):
    samples = latents(1, height, width)
    tiled = decode_in_tiles(local_decode, samples, tile=tile, overlap=min(overlap, tile // 2), scale=8)
    torch.testing.assert_close(tiled, local_decode(samples))


@TILINGS
def test_tiles_of_a_picture_make_its_latents(height, width, tile, overlap):
    pixels = noise(1, height * 8, width * 8, 3)
    tiled = encode_in_tiles(local_encode, pixels, tile=tile, overlap=min(overlap, tile // 2), scale=8)
    torch.testing.assert_close(tiled, local_encode(pixels))


def local_encode(pixels):
    """An encoder that gives each latent pixel the mean of 8x8 pixels."""
    return torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)


def test_no_tile_is_larger_than_asked_for():
    seen = []

    def decode(samples):
        seen.append(samples.shape[-2:])
        return local_decode(samples)

    decode_in_tiles(decode, latents(1, 20, 33), tile=8, overlap=2, scale=8)
    assert set(seen) == {(8, 8)}
    assert len(seen) == 3 * 6


def test_tiled_decoding_is_near_the_whole():
    latent = Latent(latents(1, 16, 40) * 0.5)
    whole = VAEDecode(context(), latent, vae()).pixels
    tiled = VAEDecodeTiled(context(), latent, vae(), tile_size=192, overlap=64).pixels
    assert tiled.shape == whole.shape == (1, SIDE, 320, 3)
    assert float((tiled - whole).abs().mean()) < NEAR_PIXELS


def test_tiled_encoding_is_near_the_whole():
    image = decoded(sampled(steps=8, latent_image=EmptyLatentImage(320, SIDE)))
    whole = VAEEncode(context(), image, vae()).samples
    tiled = VAEEncodeTiled(context(), image, vae(), tile_size=192, overlap=64).samples
    assert tiled.shape == whole.shape == (1, 4, 16, 40)
    assert float((tiled - whole).pow(2).mean()) < NEAR_LATENTS * float(whole.var())


def test_a_tile_as_large_as_the_picture_is_the_whole():
    latent, image = Latent(latents()), Image(noise(2, SIDE, SIDE, 3))
    tiled = VAEDecodeTiled(context(), latent, vae(), tile_size=SIDE)
    assert torch.equal(tiled.pixels, VAEDecode(context(), latent, vae()).pixels)
    encoded = VAEEncodeTiled(context(), image, vae(), tile_size=SIDE)
    assert torch.equal(encoded.samples, VAEEncode(context(), image, vae()).samples)


def test_when_memory_runs_out_tiles_are_tried():
    latent, image = Latent(latents(1, 16, 48)), Image(noise(1, SIDE, 384, 3))
    cheaper = VAEDecode.record.fallback(context(), latent, vae())
    expected = VAEDecodeTiled(context(), latent, vae(), tile_size=256, overlap=64)
    assert torch.equal(cheaper.pixels, expected.pixels)
    encoded = VAEEncode.record.fallback(context(), image, vae())
    expected = VAEEncodeTiled(context(), image, vae(), tile_size=256, overlap=64)
    assert torch.equal(encoded.samples, expected.samples)


def test_a_quarter_of_a_tile_overlaps_at_most():
    latent, image = Latent(latents(1, 16, 40)), Image(noise(1, SIDE, 320, 3))
    pictures = [VAEDecodeTiled(context(), latent, vae(), 128, overlap).pixels for overlap in (32, 96)]
    assert torch.equal(*pictures)
    encoded = [VAEEncodeTiled(context(), image, vae(), 128, overlap).samples for overlap in (32, 96)]
    assert torch.equal(*encoded)


def test_a_prompt_of_comfyui_with_tiles_means_the_same_nodes():
    sizes = {"tile_size": 128, "overlap": 64, "temporal_size": 64, "temporal_overlap": 8}
    prompt = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "emoji-sd"}},
        "2": {"class_type": "EmptyImage", "inputs": {"width": 320, "height": 128, "batch_size": 1}},
        "3": {"class_type": "VAEEncodeTiled", "inputs": {"pixels": ["2", 0], "vae": ["1", 2], **sizes}},
        "4": {"class_type": "VAEDecodeTiled", "inputs": {"samples": ["3", 0], "vae": ["1", 2], **sizes}},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
    }
    registry = NodeRegistry.with_plugins()
    imported = import_comfy(prompt, registry)
    assert validate(build_graph(imported, registry), folders()) == []
    exported = export_comfy(imported, registry, complete=True)
    assert sizes.items() <= exported["3"]["inputs"].items()


def test_progress_counts_pictures():
    ctx = TestContext(folders())
    VAEDecode(ctx, Latent(latents(2, 4, 4)), vae())
    assert ctx.progressed == [(0, 2), (1, 2), (2, 2)]


VAE = Spec({"family": "sd", "latent_channels": 4, "vae_scale": 8})


def test_facts_of_encoding():
    facts = infer_encoded(Spec({"width": 130, "height": 64, "batch": 2, "channels": 3}), VAE)
    assert facts == {"family": "sd", "latent_channels": 4, "latent_width": 16, "latent_height": 8, "batch": 2}
    assert infer_encoded(Spec(), Spec()) == {}


def test_facts_of_decoding():
    facts = infer_decoded(Spec({"latent_width": 16, "latent_height": 8, "batch": 2}), VAE)
    assert facts == {"width": 128, "height": 64, "batch": 2, "channels": 3}


@pytest.mark.parametrize("facts", [{"family": "sdxl"}, {"latent_channels": 16}])
def test_latents_of_another_kind_are_found_before_the_run(facts):
    with pytest.raises(Mismatch) as caught:
        infer_decoded(Spec(facts), VAE)
    assert caught.value.inputs == ("samples", "vae")


def test_cropping_keeps_what_fits():
    pixels = noise(1, 16, 24, 3)
    assert torch.equal(crop_to_multiple(pixels, 8), pixels)
