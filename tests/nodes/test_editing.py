"""Inpainting and instruction models on small weights (against diffusers' in test_pipelines); outpainting."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest
import torch
from diffusion_support import (
    SIDE,
    TestContext,
    checkpoint,
    context,
    copied_checkpoint,
    encoded,
    folders,
    pipeline,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.editing.masks import grown, outpaint_mask
from nodes.editing.nodes import (
    ImagePadForOutpaint,
    InpaintModelConditioning,
    InstructPixToPixConditioning,
    VAEEncodeForInpaint,
    infer_padded,
    infer_prepared,
)
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.types import Image, Mask
from nodes.vae.nodes import VAEEncode

STEPS, CFG, SEED = 5, 2.5, 3
CHANNELS = {"inpaint": 9, "instruct": 8}


@cache
def picture():
    return torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(4))


@cache
def mask():
    values = torch.zeros(1, SIDE, SIDE)
    values[:, 32:96, 48:112] = 1
    return values


@cache
def wide_unet(channels):
    """The bundled U-Net with more input channels, the new ones random."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(channels)
    plain = pipeline().unet
    unet = UNet2DConditionModel.from_config({**plain.config, "in_channels": channels})
    wide = 0.05 * torch.randn(unet.conv_in.weight.shape)
    wide[:, :4] = plain.conv_in.weight.detach()
    unet.load_state_dict({**plain.state_dict(), "conv_in.weight": wide})
    return unet.eval()


@pytest.fixture(scope="module")
def ctx(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for name, channels in CHANNELS.items():
        copy = copied_checkpoint(root, unet={"in_channels": channels})
        wide_unet(channels).save_pretrained(copy / "unet")
        copy.rename(copy.with_name(name))
    return TestContext(folders(root, root))


def loaded(ctx, name):
    return CheckpointLoaderSimple(ctx, name).model


def test_an_inpainting_model_sees_what_is_hidden(ctx):
    found = from_noise(ctx, Mask(mask()))
    assert (found - from_noise(ctx, Mask(torch.ones(1, SIDE, SIDE)))).abs().max() > 0.05


def from_noise(ctx, over):
    """The inpainting model's picture, made of noise alone, as the pipeline does at strength 1."""
    prepared = InpaintModelConditioning(
        ctx, encoded(), encoded(""), checkpoint().vae, Image(picture()), over, noise_mask=False
    )
    start = EmptyLatentImage(SIDE, SIDE)
    settings = {"seed": SEED, "steps": STEPS, "cfg": CFG, "sampler_name": "ddim"}
    return KSampler(ctx, loaded(ctx, "inpaint"), *prepared[:2], start, **settings).samples


def test_the_noise_mask_holds_the_rest_to_the_original(ctx):
    vae = checkpoint().vae
    prepared = InpaintModelConditioning(ctx, encoded(), encoded(""), vae, Image(picture()), Mask(mask()))
    settings = {"seed": SEED, "steps": 2, "cfg": CFG, "sampler_name": "ddim"}
    found = KSampler(ctx, loaded(ctx, "inpaint"), *prepared, **settings).samples
    original = VAEEncode(context(), Image(picture()), vae).samples
    outside = prepared.latent.noise_mask == 0
    assert torch.equal(found[outside.expand_as(found)], original[outside.expand_as(original)])
    assert not torch.allclose(found, original, atol=0.1)


def test_a_plain_model_needs_no_picture_beside_the_latents(ctx):
    vae = checkpoint().vae
    prepared = InpaintModelConditioning(
        ctx, encoded(), encoded(""), vae, Image(picture()), Mask(mask()), noise_mask=False
    )
    settings = {"latent_image": prepared.latent, "seed": SEED, "steps": 2, "sampler_name": "ddim"}
    found = KSampler(ctx, checkpoint().model, prepared.positive, prepared.negative, **settings)
    plain = KSampler(ctx, checkpoint().model, encoded(), encoded(""), **settings)
    assert torch.equal(found.samples, plain.samples)


def test_an_inpainting_model_without_a_picture_is_refused(ctx):
    latent = VAEEncode(context(), Image(picture()), checkpoint().vae)
    with pytest.raises(InputError, match=r"the model takes 5 channels beside the latents.*InpaintModelCond"):
        KSampler(ctx, loaded(ctx, "inpaint"), encoded(), encoded(""), latent, steps=1)
    prepared = InstructPixToPixConditioning(ctx, encoded(), encoded(""), Image(picture()), checkpoint().vae)
    with pytest.raises(InputError, match=r"takes 5 channels of their size; the prompt has \[1, 4, 16, 16\]"):
        KSampler(ctx, loaded(ctx, "inpaint"), *prepared, steps=1)


def test_encoding_for_inpainting_hides_and_masks():
    latent = VAEEncodeForInpaint(context(), Image(picture()), checkpoint().vae, Mask(mask()), 0)
    hidden = torch.where(mask()[..., None] == 1, torch.tensor(0.5), picture())
    expected = VAEEncode(context(), Image(hidden), checkpoint().vae)
    assert torch.equal(latent.samples, expected.samples)
    assert latent.noise_mask.shape == (1, 1, 16, 16)
    wider = VAEEncodeForInpaint(context(), Image(picture()), checkpoint().vae, Mask(mask()), 16)
    assert wider.noise_mask.sum() > latent.noise_mask.sum()


@given(st.integers(0, 9), st.integers(0, 19), st.integers(0, 19))
def test_a_mask_grows_by_a_square(pixels, row, column):
    point = torch.zeros(1, 20, 20)
    point[0, row, column] = 0.8
    expected = torch.zeros(20, 20)
    before, after = pixels // 2, max(0, pixels - 1) // 2
    expected[max(0, row - after) : row + before + 1, max(0, column - after) : column + before + 1] = 1
    assert torch.equal(grown(point, pixels)[0], expected)


def test_masks_must_match_the_pictures():
    two = Mask(torch.zeros(2, SIDE, SIDE))
    with pytest.raises(InputError, match="mask: 2 masks for 1 pictures; give 1 or 1"):
        VAEEncodeForInpaint(context(), Image(picture()), checkpoint().vae, two)


@given(*[st.sampled_from([0, 8, 16])] * 4, st.integers(0, 20))
@settings(deadline=None, max_examples=40)
def test_an_outpainting_mask_pixel_by_pixel(left, top, right, bottom, feather):
    height, width = 24, 32
    found = outpaint_mask(height, width, (left, top, right, bottom), feather)[0]
    for row in range(height):
        for column in range(width):
            ways = [row] * (top > 0) + [height - row] * (bottom > 0)
            ways += [column] * (left > 0) + [width - column] * (right > 0)
            depth = min([*ways, 1000])
            fades = 0 < feather < min(height, width) / 2 and depth < feather
            expected = ((feather - depth) / feather) ** 2 if fades else 0.0
            assert found[top + row, left + column] == pytest.approx(expected, abs=1e-6)
    inside = torch.zeros_like(found, dtype=torch.bool)
    inside[top : top + height, left : left + width] = True
    assert (found[~inside] == 1).all()


def test_padding_for_outpainting():
    padded = ImagePadForOutpaint(Image(picture()), 16, 0, 8, 24, 0)
    assert padded.image.pixels.shape == (1, SIDE + 24, SIDE + 24, 3)
    assert torch.equal(padded.image.pixels[:, :SIDE, 16 : 16 + SIDE], picture())
    assert (padded.image.pixels[:, SIDE:] == 0.5).all()
    facts = infer_padded(
        Spec({"width": 64, "height": 32}), *(Spec(value=margin) for margin in (8, 0, 16, 24))
    )
    assert facts["image"] == {"width": 88, "height": 56}
    unknown = infer_padded(Spec({"width": 64}), Spec(), *[Spec(value=0)] * 3)
    assert unknown["image"] == {}


def test_wrong_pairings_are_found_before_the_run():
    sd, sdxl = Spec({"family": "sd", "vae_scale": 8}), Spec({"family": "sdxl"})
    with pytest.raises(Mismatch, match="family of negative is sdxl"):
        infer_prepared(sd, sdxl, sd, Spec({"width": 64, "height": 64}))
    facts = infer_prepared(sd, Spec(), sd, Spec({"width": 64, "height": 32}))
    assert facts["latent"] == {"family": "sd", "latent_width": 8, "latent_height": 4}


def test_inputs_are_not_changed(ctx):
    before = dataclasses.asdict(encoded())
    InstructPixToPixConditioning(ctx, encoded(), encoded(""), Image(picture()), checkpoint().vae)
    assert encoded().prompts[0].concat is None
    assert before["family"] == encoded().family
