"""Several pictures made into one, batches and masks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodes.images.batches.nodes import EmptyImage, ImageBatch, ImageFromBatch
from nodes.images.compose.nodes import ImageBlend, ImageCompositeMasked, ImageGrid
from nodes.images.masks.nodes import ImageToMask, InvertMask, MaskToImage
from nodes.types import Image, Mask


def noise(batch=1, height=8, width=10, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Image(torch.rand(batch, height, width, channels, generator=generator))


def grey(value):
    return Image(torch.full((1, 1, 1, 1), value))


def soft_light_of_w3c(b, s):
    if s <= 0.5:
        return b - (1 - 2 * s) * b * (1 - b)
    d = ((16 * b - 12) * b + 4) * b if b <= 0.25 else b**0.5
    return b + (2 * s - 1) * (d - b)


MODES = {
    "normal": lambda b, s: s,
    "multiply": lambda b, s: b * s,
    "screen": lambda b, s: 1 - (1 - b) * (1 - s),
    "overlay": lambda b, s: 2 * b * s if b <= 0.5 else 1 - 2 * (1 - b) * (1 - s),
    "soft_light": soft_light_of_w3c,
    "difference": lambda b, s: abs(b - s),
}


@pytest.mark.parametrize("mode", MODES)
@given(b=st.floats(0, 1, width=32), s=st.floats(0, 1, width=32), factor=st.floats(0, 1))
def test_blend_modes_are_those_of_w3c(mode, b, s, factor):
    made = ImageBlend(grey(b), grey(s), factor, mode).pixels.item()
    assert made == pytest.approx((1 - factor) * b + factor * MODES[mode](b, s), abs=1e-5)


def test_blend_fits_the_second_picture_to_the_first_and_keeps_its_alpha():
    first, second = noise(channels=4), noise(height=30, width=30, seed=1)
    made = ImageBlend(first, second, 1.0).pixels
    assert made.shape == first.pixels.shape
    assert torch.equal(made[..., 3], first.pixels[..., 3])


def test_one_picture_goes_with_a_whole_batch():
    first, second = noise(1), noise(3, seed=1)
    made = ImageBlend(first, second, 0.25).pixels
    torch.testing.assert_close(made, 0.75 * first.pixels + 0.25 * second.pixels)


@pytest.mark.parametrize(("x", "y"), [(2, 3), (-2, -1), (8, 6), (0, 0)])
def test_a_picture_is_pasted_where_it_is_wanted(x, y):
    below, above = noise(2), noise(1, 4, 5, seed=1)
    made = ImageCompositeMasked(below, above, x, y).pixels
    for row in range(8):
        for column in range(10):
            inside = 0 <= row - y < 4 and 0 <= column - x < 5
            expected = above.pixels[:, row - y, column - x] if inside else below.pixels[:, row, column]
            assert torch.equal(made[:, row, column], expected.expand(2, 3))


@pytest.mark.parametrize(("x", "y"), [(10, 0), (0, 8), (-5, 0), (0, -4), (900, 900)])
def test_a_picture_that_lies_outside_changes_nothing(x, y):
    below = noise()
    assert torch.equal(ImageCompositeMasked(below, noise(1, 4, 5), x, y).pixels, below.pixels)


def test_a_mask_and_the_own_alpha_let_a_picture_show():
    below, above = noise(), noise(channels=4, seed=1)
    mask = Mask(torch.full((1, 2, 2), 0.5))
    made = ImageCompositeMasked(below, above, mask=mask).pixels
    shown = 0.5 * above.pixels[..., 3:]
    torch.testing.assert_close(made, below.pixels * (1 - shown) + above.pixels[..., :3] * shown)


def test_transparent_pictures_are_composed_as_porter_and_duff_say():
    below, above = noise(channels=4), noise(channels=4, seed=1)
    made = ImageCompositeMasked(below, above).pixels.double()
    a, b = above.pixels[..., 3:].double(), below.pixels[..., 3:].double()
    alpha = a + b * (1 - a)
    colour = (above.pixels[..., :3] * a + below.pixels[..., :3] * b * (1 - a)) / alpha
    torch.testing.assert_close(made, torch.cat([colour, alpha], -1), atol=1e-6, rtol=1e-5)


def test_the_source_may_be_stretched_to_the_destination():
    made = ImageCompositeMasked(noise(), Image(torch.full((1, 2, 2, 3), 0.25)), resize_source=True)
    torch.testing.assert_close(made.pixels, torch.full((1, 8, 10, 3), 0.25))


def test_masks_that_do_not_go_with_the_pictures_are_refused():
    with pytest.raises(InputError, match=r"^mask: 3 masks"):
        ImageCompositeMasked(noise(2), noise(2), mask=Mask(torch.ones(3, 8, 10)))


def test_batches_are_joined_and_taken_apart():
    first, second = noise(2), noise(3, seed=1)
    both = ImageBatch(first, second)
    assert torch.equal(ImageFromBatch(both, 0, 2).pixels, first.pixels)
    assert torch.equal(ImageFromBatch(both, 2, 99).pixels, second.pixels)


def test_the_second_batch_is_fitted_to_the_first():
    wide = torch.zeros(1, 8, 40, 3)
    wide[:, :, 15:25] = 1  # only the middle fits a picture of 8 x 10
    both = ImageBatch(noise(1, channels=4), Image(wide)).pixels
    assert both.shape == (2, 8, 10, 4)
    assert torch.equal(both[1], torch.ones(8, 10, 4))


@pytest.mark.parametrize("color", ["#ff8000", 0xFF8000])
def test_an_empty_picture_has_one_colour(color):
    pixels = EmptyImage(3, 2, 4, color).pixels
    assert pixels.shape == (4, 2, 3, 3)
    torch.testing.assert_close(pixels[3, 1, 2], torch.tensor([1.0, 128 / 255, 0.0]))


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#12345g", -1, 0x1000000])
def test_what_is_no_colour_is_refused_by_the_declaration(color):
    with pytest.raises(ValueError, match="validation error"):
        EmptyImage.record.validator.validate_python({"color": color})


def test_masks_and_pictures_are_two_forms_of_the_same():
    image = noise(2, channels=4)
    for index, channel in enumerate(("red", "green", "blue", "alpha")):
        mask = ImageToMask(image, channel)
        assert torch.equal(mask.values, image.pixels[..., index])
        assert torch.equal(ImageToMask(MaskToImage(mask), "green").values, mask.values)
        torch.testing.assert_close(InvertMask(mask).values, 1 - mask.values)


def test_a_grid_holds_every_picture_untouched():
    images = noise(5)
    grid = ImageGrid(images, columns=3, gap=2).pixels
    assert grid.shape == (1, 2 * 8 + 3 * 2, 3 * 10 + 4 * 2, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        y, x = 2 + row * 10, 2 + column * 12
        assert torch.equal(grid[0, y : y + 8, x : x + 10], images.pixels[index])


def test_a_list_of_pictures_of_different_sizes_is_centred_in_equal_cells():
    grid = ImageGrid(
        [noise(1, 8, 10), noise(1, 4, 4, 1, seed=1)], columns=2, gap=1, background="#000000"
    ).pixels[0]
    assert grid.shape == (10, 23, 3)
    assert torch.equal(grid[3:7, 15:19], noise(1, 4, 4, 1, seed=1).pixels[0].expand(4, 4, 3))


@pytest.mark.parametrize(("background", "ink"), [("#ffffff", 0.1), ("#101010", 0.9)])
def test_labels_stand_below_their_pictures_in_a_colour_that_shows(background, ink):
    images = EmptyImage(120, 40, 2, "#3366cc")
    grid = ImageGrid(images, columns=2, labels=["steps = 20", ""], gap=4, background=background).pixels[0]
    strip = grid[44:-4]
    left, right = strip[:, 4:124], strip[:, 128:248]
    assert (left - ink).abs().min() < 0.02
    assert right.std() < 1e-6
    assert torch.equal(grid[4:44, 4:124], images.pixels[0])


def test_a_long_label_is_broken_into_lines_and_cut_at_the_third():
    images = EmptyImage(100, 20)
    heights = [
        ImageGrid(images, labels=[text], gap=0).pixels.shape[1]
        for text in ("one", "several words make two", "word " * 100, "x" * 500)
    ]
    assert heights[0] < heights[1] < heights[2] == heights[3]
    strip = ImageGrid(images, labels=["x" * 500], gap=10).pixels[0]
    assert (strip[:, :9] - 1).abs().max() < 1e-6
    assert (strip[:, -9:] - 1).abs().max() < 1e-6


def test_of_labels_that_are_too_long_the_part_that_differs_is_drawn():
    start = "a photo of a small brown owl that sits on the branch of an old oak tree in a wood by a lake in "
    images = torch.ones(2, 16, 64, 3)
    grid = ImageGrid(Image(images), columns=2, labels=[f"{start}winter", f"{start}summer"], gap=0).pixels[0]
    assert not torch.equal(grid[16:, :64], grid[16:, 64:])


def test_a_grid_needs_pictures_and_a_label_for_each():
    with pytest.raises(InputError, match=r"^images: "):
        ImageGrid([])
    with pytest.raises(InputError, match=r"^labels: 1 labels for 2 pictures"):
        ImageGrid(noise(2), labels=["one"])
