"""Pictures changed one at a time."""

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch.nn import functional

from nodes.images.transform.nodes import ImageCrop, ImageInvert, ImagePad, ImageScale, ImageScaleBy
from nodes.types import Image


def noise(batch=1, height=24, width=32, channels=3):
    return Image(torch.rand(batch, height, width, channels, generator=torch.Generator().manual_seed(0)))


def smooth(height=48, width=64):
    y, x = torch.meshgrid(torch.linspace(0.1, 0.9, height), torch.linspace(0.1, 0.9, width), indexing="ij")
    return Image(torch.stack([x, y, (x + y) / 2], -1)[None])


@pytest.mark.parametrize("method", ["lanczos", "bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(16, 12), (100, 70)])
def test_filters_are_those_of_pillow(method, size):
    image = noise()
    resized = ImageScale(image, method, *size).pixels[0]
    kernel = Pillow.Resampling[method.upper()]
    for channel in range(3):
        plane = Pillow.fromarray(image.pixels[0, :, :, channel].numpy())
        expected = np.asarray(plane.resize(size, kernel)).clip(0, 1)
        assert np.abs(resized[..., channel].numpy() - expected).max() < 2e-5


def test_area_averages_and_nearest_exact_picks():
    image = noise()
    halved = image.pixels.unflatten(2, (16, 2)).unflatten(1, (12, 2)).mean((2, 4))
    torch.testing.assert_close(ImageScale(image, "area", 16, 12).pixels, halved)
    picked = ImageScale(image, "nearest-exact", 16, 12).pixels
    assert torch.equal(picked, image.pixels[:, 1::2, 1::2])


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])
def test_an_even_colour_stays_even(method):
    image = Image(torch.full((1, 9, 7, 3), 0.3))
    for size in ((3, 20), (40, 2)):
        torch.testing.assert_close(
            ImageScale(image, method, *size).pixels, torch.full((1, *size[::-1], 3), 0.3)
        )


@pytest.mark.parametrize("method", ["bilinear", "area", "bicubic", "lanczos"])
def test_fine_stripes_become_grey_instead_of_moire(method):
    stripes = torch.zeros(1, 64, 64, 1)
    stripes[:, :, ::2] = 1
    shrunk = ImageScale(Image(stripes), method, 20, 20).pixels[:, 2:-2, 2:-2]
    assert (shrunk - 0.5).abs().max() < 0.08


def test_colour_of_transparent_pixels_does_not_bleed():
    pixels = torch.zeros(1, 8, 8, 4)
    pixels[..., :4, :] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    pixels[..., 4:, :] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    resized = ImageScale(Image(pixels), "bilinear", 3, 3).pixels
    visible = resized[resized[..., 3] > 0.01]
    assert len(visible) > 3
    torch.testing.assert_close(visible[:, :3], torch.tensor([[1.0, 0.0, 0.0]]).expand(len(visible), 3))


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(0, 12, (16, 12)), (64, 0, (64, 48)), (0, 0, (32, 24))]
)
def test_zero_keeps_the_ratio(width, height, expected):
    assert ImageScale(noise(), "area", width, height).pixels.shape[2:0:-1] == expected


@pytest.mark.parametrize("size", [(20, 40), (80, 20)])
def test_center_crop_keeps_the_ratio_of_what_is_seen(size):
    source = smooth()
    plain = ImageScale(source, "bilinear", *size, crop="center").pixels[0]
    # the picture's colour is its coordinate, so the slope of the colour is the scale
    across = (plain[5, -3, 0] - plain[5, 2, 0]) / (size[0] - 5) * 63 / 0.8
    down = (plain[-3, 5, 1] - plain[2, 5, 1]) / (size[1] - 5) * 47 / 0.8
    assert across.item() == pytest.approx(down.item(), rel=0.05)
    assert plain.mean((0, 1)).tolist() == pytest.approx([0.5, 0.5, 0.5], abs=0.02)


def test_scaling_by_a_factor_rounds_the_size():
    assert ImageScaleBy(noise(), "lanczos", 1.5).pixels.shape == (1, 36, 48, 3)
    assert ImageScaleBy(noise(height=3, width=3), "area", 0.1).pixels.shape == (1, 1, 1, 3)


def test_crop_is_a_window():
    image = noise()
    assert torch.equal(ImageCrop(image, 5, 6, 7, 8).pixels, image.pixels[:, 8:14, 7:12])
    assert torch.equal(ImageCrop(image, 500, 600, 30, 20).pixels, image.pixels[:, 20:, 30:])


@pytest.mark.parametrize(("mode", "torch_mode"), [("edge", "replicate"), ("reflect", "reflect")])
def test_margins_repeat_or_mirror(mode, torch_mode):
    image = noise()
    padded = ImagePad(image, 3, 4, 5, 6, mode).pixels
    expected = functional.pad(image.pixels.movedim(-1, 1), (3, 5, 4, 6), mode=torch_mode).movedim(1, -1)
    assert torch.equal(padded, expected)


def test_a_mirrored_margin_may_be_wider_than_the_picture():
    row = Image(torch.tensor([0.1, 0.2, 0.3])[None, None, :, None])
    padded = ImagePad(row, left=5, right=6, mode="reflect").pixels.flatten()
    expected = [0.2, 0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.3, 0.2, 0.1]
    torch.testing.assert_close(padded, torch.tensor(expected))
    single = ImagePad(Image(torch.full((1, 1, 1, 1), 0.4)), 2, 2, 2, 2, "reflect").pixels
    assert torch.equal(single, torch.full((1, 5, 5, 1), 0.4))


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, [0.299]), (3, [1.0, 0.0, 0.0]), (4, [1.0, 0.0, 0.0, 1.0])]
)
def test_a_coloured_margin_surrounds_the_untouched_picture(channels, expected):
    image = noise(channels=channels)
    padded = ImagePad(image, 1, 2, 3, 4, color="#ff0000").pixels
    assert torch.equal(padded[:, 2:-4, 1:-3], image.pixels)
    torch.testing.assert_close(padded[0, 0, 0], torch.tensor(expected))
    torch.testing.assert_close(padded[0, -1, -1], torch.tensor(expected))


def test_inverting_twice_is_nothing_and_alpha_stays():
    image = noise(channels=4)
    inverted = ImageInvert(image)
    assert torch.equal(inverted.pixels[..., 3], image.pixels[..., 3])
    torch.testing.assert_close(inverted.pixels[..., :3], 1 - image.pixels[..., :3])
    torch.testing.assert_close(ImageInvert(inverted).pixels, image.pixels)
