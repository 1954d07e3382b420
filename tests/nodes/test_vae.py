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
from nodegraph.specs import Mismatch, Spec
from nodes.types import Image, Latent
from nodes.vae.nodes import VAEDecode, VAEDecodeTiled, VAEEncode, infer_decoded, infer_encoded
from nodes.vae.pixels import crop_to_multiple, to_rgb
from nodes.vae.tiling import decode_in_tiles


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


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(2, 16),
    overlap=st.integers(0, 8),
)
def test_tiles_cover_the_picture_without_seams(height, width, tile, overlap):
    samples = latents(1, height, width)
    tiled = decode_in_tiles(local_decode, samples, tile=tile, overlap=min(overlap, tile // 2), scale=8)
    torch.testing.assert_close(tiled, local_decode(samples))


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
    assert float((tiled - whole).abs().mean()) < 0.03


def test_a_tile_as_large_as_the_picture_is_the_whole():
    latent = Latent(latents())
    tiled = VAEDecodeTiled(context(), latent, vae(), tile_size=SIDE, overlap=64).pixels
    torch.testing.assert_close(tiled, VAEDecode(context(), latent, vae()).pixels)


def test_when_memory_runs_out_decoding_falls_back_to_tiles():
    latent = Latent(latents(1, 16, 48))
    cheaper = VAEDecode.record.fallback(context(), latent, vae())
    expected = VAEDecodeTiled(context(), latent, vae(), tile_size=256, overlap=64)
    assert torch.equal(cheaper.pixels, expected.pixels)


def test_an_overlap_of_more_than_half_a_tile_is_refused():
    with pytest.raises(InputError, match="overlap: 96 is more than half of tile_size 128"):
        VAEDecodeTiled(context(), Latent(latents()), vae(), tile_size=128, overlap=96)


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
