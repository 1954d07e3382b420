"""Prompts for a part of the picture or of the run, against straightforward computations."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.conditioning.combining.nodes import (
    ConditioningAverage,
    ConditioningCombine,
    ConditioningConcat,
    ConditioningSetArea,
    ConditioningSetAreaPercentage,
    ConditioningSetAreaStrength,
    ConditioningSetMask,
    ConditioningSetTimestepRange,
    ConditioningZeroOut,
    infer_combined,
)
from nodes.sampling.combining import with_matching_areas
from nodes.sampling.condition import Box, Condition
from nodes.sampling.denoiser import ConditionalDenoiser
from nodes.sampling.guidance import side_estimates
from nodes.sampling.noise_schedule import NoiseSchedule
from nodes.sampling.regions import bounds, feathered, region
from nodes.types import Conditioning, Mask, Prompt

SIDE = 32  # latent pixels
SCHEDULE = NoiseSchedule()


def prompt(value, tokens=3, pooled=None):
    pooled = None if pooled is None else torch.full((1, 5), float(pooled))
    return Conditioning((Prompt(torch.full((1, tokens, 4), float(value)), pooled=pooled),), "sd")


def conditions(conditioning):
    """What a sampler would make of the prompts, for latents of ``SIDE``."""
    found = []
    for item in conditioning.prompts:
        box, weight = region(item, SIDE, SIDE)
        found.append(Condition(item.embeddings, box=box, weight=weight))
    return found


def estimate(*conditioning, x=None, sigma=1.0):
    """Estimates of a denoiser whose x₀ is, at each pixel, what its prompt's embeddings are."""

    def network(z, timestep, sigma, batch):
        parts = z.chunk(len(batch))
        return torch.cat(
            [torch.full_like(part, float(c.context.mean())) for part, c in zip(parts, batch, strict=True)]
        )

    denoiser = ConditionalDenoiser(network, SCHEDULE, "sample", nearest_timestep=True)
    x = torch.zeros(1, 2, SIDE, SIDE) if x is None else x
    sides = [conditions(side) for side in conditioning]
    return side_estimates(denoiser, sides)(x, sigma)


def test_combined_prompts_count_in_equal_parts():
    (found,) = estimate(ConditioningCombine(prompt(1), prompt(4)))
    assert torch.equal(found, torch.full((1, 2, SIDE, SIDE), 2.5))


def test_strengths_weigh_them():
    (found,) = estimate(ConditioningCombine(prompt(1), ConditioningSetAreaStrength(prompt(4), 3.0)))
    torch.testing.assert_close(found, torch.full((1, 2, SIDE, SIDE), (1 + 3 * 4) / 4))


def naive_area(height, width, top, left, strength):
    """Weights of an area, pixel by pixel: rising over 8 pixels from sides that are not the picture's."""
    weights = torch.zeros(SIDE, SIDE)
    for row in range(height):
        for column in range(width):
            weight = strength
            for place, length, start in ((row, height, top), (column, width, left)):
                steps = min(8, length // 4)
                if start > 0 and place < steps:
                    weight *= (place + 1) / steps
                if start + length < SIDE and length - 1 - place < steps:
                    weight *= (length - place) / steps
            weights[top + row, left + column] = weight
    return weights


@given(st.integers(8, 32), st.integers(8, 32), st.integers(0, 24), st.integers(0, 24), st.floats(0.1, 4.0))
def test_an_area_counts_inside_it_and_fades_out(width, height, x, y, strength):
    inside = ConditioningSetArea(prompt(5), 8 * width, 8 * height, 8 * x, 8 * y, strength)
    weights = naive_area(min(height, SIDE - y), min(width, SIDE - x), y, x, strength)
    (found,) = estimate(ConditioningCombine(prompt(1), inside))
    torch.testing.assert_close(found[0, 0], (1 + 5 * weights) / (1 + weights))


def test_nothing_is_found_where_no_prompt_counts():
    (found,) = estimate(ConditioningSetArea(prompt(5), 64, 64, 0, 0))
    assert torch.equal(found[0, 0, :8, :8], torch.full((8, 8), 5.0))
    assert not found[0, 0, 8:].any()


def test_the_model_sees_only_the_area():
    seen = []

    def network(z, timestep, sigma, batch):
        seen.append(z)
        return z

    x = torch.randn(1, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    condition = Condition(torch.zeros(1, 1, 1), box=Box(8, 16, 4, 6))
    denoiser = ConditionalDenoiser(network, SCHEDULE, "epsilon", nearest_timestep=True)
    (found,) = denoiser(x, 2.0, [condition])
    expected = x[..., 4:12, 6:22] / math.sqrt(5)
    torch.testing.assert_close(seen[0], expected)
    torch.testing.assert_close(found, x[..., 4:12, 6:22] - 2 * expected)


@pytest.mark.parametrize(
    ("shares", "box"),
    [
        ((0.5, 0.25, 0.5, 0.75), Box(8, 16, 24, 16)),
        ((1.0, 1.0, 0.0, 0.0), Box(32, 32, 0, 0)),
        ((0.001, 1.0, 0.0, 0.5), Box(16, 1, 16, 0)),
        ((1.0, 1.0, 1.0, 1.0), Box(1, 1, 31, 31)),
    ],
)
def test_areas_in_shares(shares, box):
    conditioning = ConditioningSetAreaPercentage(prompt(1), *shares)
    assert region(conditioning.prompts[0], SIDE, SIDE)[0] == box


def half_mask(value=1.0):
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, :, : SIDE // 2] = value
    return Mask(mask)


def test_a_mask_weighs_pixel_by_pixel():
    masked = ConditioningSetMask(prompt(5), half_mask(0.5), strength=2.0)
    (found,) = estimate(ConditioningCombine(prompt(1), masked))
    assert found[0, 0, 0, 0] == 3.0
    assert found[0, 0, 0, -1] == 1.0


def test_a_mask_may_bound_what_the_model_sees():
    mask = torch.zeros(1, 8 * SIDE, 8 * SIDE)
    mask[:, 40:160, 80:240] = 1
    masked = ConditioningSetMask(prompt(5), Mask(mask), set_cond_area="mask bounds")
    box, weight = region(masked.prompts[0], SIDE, SIDE)
    assert box == Box(15, 20, 5, 10)
    assert torch.equal(weight, torch.ones(1, 1, 15, 20))


@pytest.mark.parametrize(
    ("rows", "columns", "box"),
    [
        (slice(0, 0), slice(0, 0), Box(8, 8, 0, 0)),
        (slice(3, 4), slice(5, 7), Box(8, 8, 3, 5)),
        (slice(30, 32), slice(0, 32), Box(2, 32, 30, 0)),
    ],
)
def test_bounds_of_small_masks(rows, columns, box):
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., rows, columns] = 1
    assert bounds(mask) == box


def test_an_area_of_all_of_the_picture_does_not_fade():
    assert torch.equal(feathered(Box(SIDE, SIDE, 0, 0), SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE))


def test_an_area_has_its_counterpart_on_the_other_side():
    positive = conditions(ConditioningCombine(prompt(1), ConditioningSetArea(prompt(5), 128, 128, 64, 64)))
    left, right = with_matching_areas([positive, conditions(prompt(-1))])
    assert left == positive
    assert [condition.box for condition in right] == [None, positive[1].box]
    assert float(right[1].context.mean()) == -1
    assert right[1].weight is positive[1].weight
    again = with_matching_areas([left, right])
    assert [len(side) for side in again] == [2, 2]


def test_the_smallest_condition_around_an_area_is_its_counterpart():
    area = conditions(ConditioningSetArea(prompt(5), 64, 64, 64, 64))
    around = [
        *conditions(prompt(-1)),
        *conditions(ConditioningSetArea(prompt(-2), 128, 128, 64, 64)),
        *conditions(ConditioningSetArea(prompt(-3), 64, 64, 192, 192)),
    ]
    _, right = with_matching_areas([area, around])
    assert float(right[3].context.mean()) == -2


def test_a_prompt_counts_in_its_share_of_the_run():
    early = ConditioningSetTimestepRange(prompt(1), 0.0, 0.4).prompts[0]
    assert (early.start_percent, early.end_percent) == (0.0, 0.4)
    condition = Condition(early.embeddings, sigma_start=10.0, sigma_end=2.0)
    assert [condition.counts_at(sigma) for sigma in (10.5, 10.0, 5.0, 2.0, 1.9)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    with pytest.raises(InputError, match=r"start: 0\.9 is after end 0\.1"):
        ConditioningSetTimestepRange(prompt(1), 0.9, 0.1)


def test_concat_puts_words_after_words():
    both = ConditioningCombine(prompt(1), prompt(2))
    found = ConditioningConcat(both, prompt(7, tokens=2))
    assert [item.embeddings[0, :, 0].tolist() for item in found.prompts] == [[1, 1, 1, 7, 7], [2, 2, 2, 7, 7]]


def test_average_mixes_embeddings_and_pooled():
    found = ConditioningAverage(prompt(1, pooled=1), prompt(5, pooled=9), 0.75).prompts[0]
    assert torch.equal(found.embeddings, torch.full((1, 3, 4), 2.0))
    assert torch.equal(found.pooled, torch.full((1, 5), 3.0))


@pytest.mark.parametrize(("tokens", "expected"), [(2, [3, 3, 0.5]), (5, [3, 3, 3])])
def test_average_fits_the_second_to_the_first(tokens, expected):
    found = ConditioningAverage(prompt(1), prompt(5, tokens=tokens), 0.5).prompts[0]
    assert found.embeddings[0, :, 0].tolist() == expected


def test_zero_out():
    found = ConditioningZeroOut(prompt(3, pooled=2)).prompts[0]
    assert not found.embeddings.any()
    assert not found.pooled.any()
    assert ConditioningZeroOut(prompt(3)).prompts[0].pooled is None


def test_inputs_are_not_changed():
    given = prompt(1)
    ConditioningSetArea(given, 64, 64, 0, 0)
    ConditioningSetMask(given, half_mask())
    assert given.prompts[0].area is None
    assert given.prompts[0].mask is None


@pytest.mark.parametrize("node", [ConditioningCombine, ConditioningConcat, ConditioningAverage])
def test_prompts_for_different_models_do_not_go_together(node):
    wide = Conditioning((Prompt(torch.zeros(1, 3, 8)),), "sd")
    with pytest.raises(InputError, match="made for family sd with text width 8; the other is for sd with 4"):
        node(prompt(1), wide)


def test_wrong_pairings_are_found_before_the_run():
    sd, sdxl = Spec({"family": "sd", "text_width": 768}), Spec({"family": "sdxl", "text_width": 2048})
    assert infer_combined(sd, Spec()) == {"family": "sd", "text_width": 768}
    with pytest.raises(Mismatch, match="family of conditioning_2 is sdxl"):
        infer_combined(sd, sdxl)
