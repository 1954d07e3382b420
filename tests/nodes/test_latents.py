"""Empty latents and noise masks."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.latents.nodes import EmptyLatentImage, SetLatentNoiseMask, infer_empty
from nodes.types import Latent, Mask


def test_empty_latents_are_an_eighth_of_the_picture():
    samples = EmptyLatentImage(64, 32, 3).samples
    assert samples.shape == (3, 4, 4, 8)
    assert not samples.any()


def test_facts_are_those_of_the_latents():
    facts = infer_empty(Spec(value=64), Spec(value=32), Spec(value=3))
    assert facts == {
        "latent_channels": 4,
        "latent_width": 8,
        "latent_height": 4,
        "batch": 3,
        "empty": True,
    }
    assert infer_empty(Spec(), Spec(), Spec()) == {"latent_channels": 4, "empty": True}


@pytest.mark.parametrize(("name", "value"), [("width", 100), ("height", 8), ("batch_size", 0)])
def test_sizes_that_make_no_latents_are_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        EmptyLatentImage.record.validator.validate_python({name: value})


def test_a_mask_is_averaged_down_to_the_latents():
    values = torch.zeros(1, 64, 64)
    values[:, :32] = 1
    latent = SetLatentNoiseMask(Latent(torch.ones(2, 4, 8, 8)), Mask(values))
    assert latent.noise_mask.shape == (1, 1, 8, 8)
    assert (latent.noise_mask[..., :3, :] == 1).all()
    assert (latent.noise_mask[..., 5:, :] == 0).all()
    assert (latent.samples == 1).all()


def test_masks_must_match_the_batch():
    with pytest.raises(InputError, match="mask: 3 masks for 2 latents; give 1 or 2"):
        SetLatentNoiseMask(Latent(torch.ones(2, 4, 8, 8)), Mask(torch.ones(3, 8, 8)))
