"""Latents at other sizes, and latents in latents."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.latents.shaping.nodes import (
    LatentComposite,
    LatentUpscale,
    LatentUpscaleBy,
    infer_resized,
    infer_scaled,
)
from nodes.types import Latent


def latent(height=16, width=16, value=None, batch=1):
    if value is not None:
        return Latent(torch.full((batch, 4, height, width), float(value)))
    return Latent(torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    ("width", "height", "crop", "shape"),
    [
        (256, 128, "disabled", (16, 32)),
        (0, 128, "disabled", (16, 32)),
        (256, 0, "disabled", (16, 32)),
        (0, 0, "disabled", (8, 16)),
        (64, 64, "center", (8, 8)),
    ],
)
def test_sizes(width, height, crop, shape):
    assert LatentUpscale(latent(8, 16), "bilinear", width, height, crop).samples.shape[-2:] == shape


def test_nearest_repeats_and_centre_crops():
    given = latent(8, 16)
    found = LatentUpscale(given, "nearest-exact", 128, 128, "center").samples
    middle = given.samples[..., 4:12]
    assert torch.equal(found, middle.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2))


def test_by_a_factor_with_its_mask():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :8] = 1
    found = LatentUpscaleBy(Latent(latent().samples, mask, (7,)), "bicubic", 1.5)
    assert found.samples.shape == (1, 4, 24, 24)
    assert found.noise_mask.shape == (1, 1, 24, 24)
    assert (found.noise_mask[0, 0, 0, 0], found.noise_mask[0, 0, 0, -1]) == (1, 0)
    assert found.seed_offsets == (7,)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 6), st.integers(4, 10), st.integers(4, 10))
@settings(deadline=None, max_examples=40)
def test_composites_pixel_by_pixel(x, y, feather, height, width):
    found = LatentComposite(latent(value=0), latent(height, width, 1), 8 * x, 8 * y, 8 * feather).samples[
        0, 0
    ]
    tall, wide = min(height, 16 - y), min(width, 16 - x)
    expected = torch.zeros(16, 16)
    for row in range(max(0, tall)):
        for column in range(max(0, wide)):
            weight = 1.0
            for place, length, start in ((row, tall, y), (column, wide, x)):
                steps = min(feather, length)
                if start > 0 and place < steps:
                    weight *= (place + 1) / steps
                if start + length < 16 and length - 1 - place < steps:
                    weight *= (length - place) / steps
            expected[y + row, x + column] = weight
    torch.testing.assert_close(found, expected)


def test_composites_of_other_kinds_are_refused():
    with pytest.raises(InputError, match=r"samples_from: \[3, 4, 16, 16\] into \[2, 4, 16, 16\]"):
        LatentComposite(latent(batch=2), latent(batch=3))


def test_facts():
    samples = Spec({"family": "sd", "latent_channels": 4, "latent_width": 8, "latent_height": 8})
    assert infer_scaled(samples) == {"family": "sd", "latent_channels": 4}
    found = infer_resized(samples, Spec(value=128), Spec(value=64))
    assert found == {"family": "sd", "latent_channels": 4, "latent_width": 16, "latent_height": 8}
    assert infer_resized(samples, Spec(), Spec(value=64)) == {"family": "sd", "latent_channels": 4}


def test_bislerp_turns_vectors_as_scipy_does():
    """Two columns become many: each vector lies on the great circle, as long as its share of both lengths."""
    from scipy.spatial import geometric_slerp

    ends = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    lengths, wide = ends.norm(dim=1), 16
    latent = Latent(ends.T[None, :, None, :].float())
    found = LatentUpscale(latent, "bislerp", 8 * wide, 8).samples[0, :, 0].T
    shares = ((torch.arange(wide) + 0.5) * 2 / wide - 0.5).clamp(0, 1).double()
    units = geometric_slerp(*(ends / lengths[:, None]).numpy(), shares.numpy())
    expected = torch.from_numpy(units) * (lengths[0] + shares * (lengths[1] - lengths[0]))[:, None]
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("other", [1.0, -1.0, 0.0])
def test_bislerp_of_vectors_that_name_no_plane(other):
    column = torch.tensor([1.0, 2.0, -1.0, 0.5])
    latent = Latent(torch.stack([column, other * column], dim=1)[None, :, None, :])
    found = LatentUpscale(latent, "bislerp", 64, 16).samples
    assert found.shape == (1, 4, 2, 8)
    assert found.isfinite().all()
    assert torch.equal(found[..., 0], latent.samples[..., 0].expand(1, 4, 2))
