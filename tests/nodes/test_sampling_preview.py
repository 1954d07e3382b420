"""The unfinished pictures that a sampler shows."""

from __future__ import annotations

import io

import pytest
import torch
from diffusion_support import SIDE, checkpoint, context, encoded
from PIL import Image as Pillow

from nodegraph.previews import encode_preview
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.sampling.preview import latent_colours
from nodes.vae.nodes import VAEDecode


def test_each_step_shows_the_first_picture_of_the_batch():
    ctx, before = context(), len(context().previews)
    latent = EmptyLatentImage(SIDE, SIDE, 2)
    KSampler(ctx, checkpoint().model, encoded(), encoded(""), latent, steps=3, cfg=1.0)
    assert [list(preview.pixels.shape) for preview in ctx.previews[before:]] == [
        [1, SIDE // 8, SIDE // 8, 3]
    ] * 3


def test_the_last_preview_looks_like_the_picture():
    ctx = context()
    model, _, vae = checkpoint()
    picture = encoded("a red apple on a blue background")
    latent = KSampler(ctx, model, picture, encoded(""), EmptyLatentImage(SIDE, SIDE), 7, 20, 2.5, "dpmpp_2m")
    decoded = VAEDecode(context(), latent, vae).pixels.movedim(-1, 1)
    expected = torch.nn.functional.avg_pool2d(decoded, 8).movedim(1, -1)
    assert (ctx.previews[-1].pixels - expected).abs().mean() < 0.08


@pytest.mark.parametrize("channels", [1, 2, 4, 16])
def test_an_unknown_latent_space_shows_shapes_in_false_colours(channels):
    latents = torch.zeros(channels, 12, 12)
    latents[:, :, 6:] = torch.arange(1.0, channels + 1)[:, None, None]
    colours = latent_colours(latents, "unheard-of", 1)
    assert colours.shape == (12, 12, 3)
    assert torch.equal(colours[:, :6], colours[:1, :1].expand(12, 6, 3))
    assert (colours[0, 0] - colours[0, 11]).abs().max() > 0.2


@pytest.mark.parametrize("family", ["sd", "unheard-of"])
def test_latents_that_are_not_numbers_are_grey(family):
    colours = latent_colours(torch.full((4, 8, 8), torch.nan), family, 768)
    assert torch.equal(colours, torch.full((8, 8, 3), 0.5))


@pytest.mark.parametrize(
    ("family", "channels", "width"),
    [("sdxl", 4, 2048), ("sdxl_refiner", 4, 1280), ("sd3", 16, 4096), ("flux", 16, 4096)],
)
def test_a_known_latent_space_has_its_own_colours(family, channels, width):
    """Linear ones: the colour of a latent pixel is its own, whatever lies around it."""
    latents = torch.randn(channels, 8, 8, generator=torch.Generator().manual_seed(1))
    colours = latent_colours(latents, family, width)
    alone = latent_colours(latents[:, 2:3, 3:4], family, width)
    torch.testing.assert_close(colours[2:3, 3:4], alone)
    opposite = latent_colours(-latents, family, width)
    inside = (colours > 0) & (colours < 1)
    torch.testing.assert_close((colours + opposite)[inside], torch.ones(int(inside.sum())))


def test_a_preview_of_what_is_no_number_is_grey_and_not_black():
    shown = encode_preview(torch.full((8, 8, 3), float("nan")))
    assert shown is not None
    with Pillow.open(io.BytesIO(shown)) as picture:
        assert picture.getpixel((4, 4)) == pytest.approx((128, 128, 128), abs=2)
