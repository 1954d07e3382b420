"""Pictures for ControlNets, from pictures whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from nodegraph.errors import InputError
from nodes.controlnet.preprocessing.canny import canny
from nodes.controlnet.preprocessing.nodes import Canny, ImageBlur, NormalMapFromDepth, Scribble
from nodes.types import Image

SIDE = 32


def step(contrast=1.0):
    planes = torch.zeros(1, 1, SIDE, SIDE)
    planes[..., SIDE // 2 :] = contrast
    return planes


@pytest.mark.parametrize("turns", range(4))
def test_a_step_is_one_thin_line_whichever_way_it_goes(turns):
    edges = canny(torch.rot90(step(), turns, (2, 3)), 0.1, 0.3)
    upright = torch.rot90(edges, -turns, (2, 3))[0, 0]
    assert (upright.sum(dim=1) == 1).all()
    columns = upright.argmax(dim=1)
    assert set(columns.tolist()) <= {SIDE // 2 - 1, SIDE // 2}


def test_a_disc_is_a_closed_ring_of_its_radius():
    row, column = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    distance = torch.hypot(row - 15.5, column - 15.5)
    edges = canny((distance < 10).float()[None, None], 0.2, 0.5)[0, 0].bool()
    assert edges.sum() >= 50
    assert ((distance[edges] - 10).abs() < 1.5).all()


def test_weak_edges_count_where_they_run_on_from_strong_ones():
    weak = 0.25
    assert not canny(step(weak), 0.2, 0.9).any()
    fading = step() * torch.linspace(1, weak, SIDE)[:, None]
    edges = canny(fading, 0.2, 0.9)[0, 0]
    assert (edges[:, SIDE // 2 - 1 : SIDE // 2 + 1].sum(dim=1) >= 1).all()


def test_nothing_has_no_edges_and_thresholds_must_be_in_order():
    flat = Image(torch.full((2, SIDE, SIDE, 3), 0.5))
    assert not Canny(flat).pixels.any()
    with pytest.raises(InputError, match=r"low_threshold: 0\.9 is above high_threshold 0\.2"):
        Canny(flat, 0.9, 0.2)


@pytest.mark.parametrize("drawn", [Canny, Scribble])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_has_no_edges_and_is_told(drawn, value):
    with pytest.raises(InputError, match="some pixels are not numbers") as told:
        drawn(Image(torch.full((1, 8, 8, 3), value)))
    assert told.value.input == "image"


def test_edges_of_grey_and_colour_pictures_are_rgb():
    for channels in (1, 3, 4):
        pixels = step().movedim(1, -1).expand(-1, -1, -1, channels).contiguous()
        found = Canny(Image(pixels)).pixels
        assert found.shape == (1, SIDE, SIDE, 3)
        assert set(found.unique().tolist()) == {0.0, 1.0}


def test_a_point_blurs_to_the_gaussian():
    pixels = torch.zeros(1, 9, 9, 3)
    pixels[:, 4, 4] = 1
    found = ImageBlur(Image(pixels), 2, 0.5).pixels[0, ..., 0]
    weights = torch.tensor([math.exp(-(place**2) / 2) for place in range(-2, 3)])
    weights /= weights.sum()
    torch.testing.assert_close(found[2:7, 2:7], torch.outer(weights, weights))
    assert found.sum() == pytest.approx(1)


def test_blurring_changes_no_even_picture():
    pixels = torch.full((1, SIDE, SIDE, 3), 0.25)
    torch.testing.assert_close(ImageBlur(Image(pixels), 5, 1.0).pixels, pixels)


def test_normals_of_a_slope():
    ramp = torch.linspace(0, 1, SIDE + 1)[:SIDE].expand(1, SIDE, SIDE)[..., None].contiguous()
    normal = NormalMapFromDepth(Image(ramp)).pixels[0, SIDE // 2, SIDE // 2] * 2 - 1
    half = math.sqrt(0.5)
    torch.testing.assert_close(normal, torch.tensor([-half, 0.0, half]), atol=1e-4, rtol=0)
    downward = NormalMapFromDepth(Image(ramp.transpose(1, 2).contiguous())).pixels[0, 16, 16] * 2 - 1
    torch.testing.assert_close(downward, torch.tensor([0.0, half, half]), atol=1e-4, rtol=0)


def test_normals_of_a_plain_are_straight_up():
    normal = NormalMapFromDepth(Image(torch.full((1, 8, 8, 1), 0.3))).pixels * 2 - 1
    torch.testing.assert_close(normal, torch.tensor([0.0, 0.0, 1.0]).expand(1, 8, 8, 3))
