"""Noise levels: what models were trained at, and which of them a run visits."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodes.sampling.noise_schedule import (
    NoiseSchedule,
    sigma_at,
    sigma_at_percent,
    timestep_at,
    training_sigmas,
)
from nodes.sampling.samplers import SAMPLERS
from nodes.sampling.schedules import end_at_trained, sigmas_for, total_steps
from nodes.sampling.timestep_schedules import normal, timesteps

SD = NoiseSchedule("scaled_linear", 0.00085, 0.012, steps_offset=1, set_alpha_to_one=False)
SPACINGS = ("linspace", "leading", "trailing")


def spaced(spacing):
    return NoiseSchedule("scaled_linear", 0.00085, 0.012, spacing=spacing, steps_offset=1)


def euler_scheduler(**settings):
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, **settings)


@pytest.mark.parametrize("beta_schedule", ["linear", "scaled_linear", "squaredcos_cap_v2"])
def test_training_sigmas_are_those_of_diffusers(beta_schedule):
    theirs = euler_scheduler(beta_schedule=beta_schedule).alphas_cumprod.double()
    ours = training_sigmas(NoiseSchedule(beta_schedule, 0.00085, 0.012))
    torch.testing.assert_close(ours, ((1 - theirs) / theirs).sqrt(), rtol=2e-3, atol=0)


def test_zero_terminal_snr_is_that_of_diffusers():
    theirs = euler_scheduler(rescale_betas_zero_snr=True).alphas_cumprod.double()
    ours = training_sigmas(NoiseSchedule("linear", 0.00085, 0.012, rescale_zero_snr=True))
    torch.testing.assert_close(ours, ((1 - theirs) / theirs).sqrt(), rtol=2e-3, atol=0)
    assert ours[-1] > 4000


def test_trained_betas_win_over_the_formula():
    assert training_sigmas(NoiseSchedule(trained_betas=(0.5, 0.5))).tolist() == pytest.approx(
        [1, math.sqrt(3)]
    )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [1, 7, 20, 30, 1000])
def test_timesteps_are_those_of_diffusers(spacing, steps):
    theirs = euler_scheduler(timestep_spacing=spacing, steps_offset=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs.set_timesteps(steps)
    ours = timesteps(spaced(spacing), steps)
    expected = theirs.timesteps.double()
    if steps == 1 and spacing == "linspace":
        expected = torch.tensor([999.0], dtype=torch.float64)  # numpy takes the first end, which is no noise
    torch.testing.assert_close(ours, expected.clamp(max=999), rtol=1e-6, atol=1e-3)


def test_karras_is_equation_5():
    trained = training_sigmas(SD)
    low, high = float(trained[0]), float(trained[-1])
    sigmas = sigmas_for(SD, "karras", 5).tolist()
    for i, sigma in enumerate(sigmas[:-1]):
        expected = (high ** (1 / 7) + i / 4 * (low ** (1 / 7) - high ** (1 / 7))) ** 7
        assert sigma == pytest.approx(expected)
    assert sigmas[-1] == 0


@given(
    steps=st.integers(1, 60),
    denoise=st.floats(0.1, 1.0),
    scheduler=st.sampled_from(["normal", "karras"]),
    spacing=st.sampled_from(SPACINGS),
)
def test_sigmas_fall_strictly_to_zero(steps, denoise, scheduler, spacing):
    sigmas = sigmas_for(spaced(spacing), scheduler, steps, denoise)
    assert len(sigmas) == steps + 1
    assert (sigmas.diff() < 0).all()
    assert sigmas[-1] == 0


def test_less_denoising_is_the_end_of_a_longer_run():
    part = sigmas_for(SD, "normal", 10, 0.5)
    assert part.tolist() == normal(SD, 20)[-11:].tolist()
    assert total_steps(10, 0.5) == 20


def test_more_steps_than_timesteps_are_refused():
    with pytest.raises(ValueError, match="1001 steps do not fit into 1000"):
        normal(SD, 1001)


@given(timestep=st.floats(0, 999))
def test_timestep_at_undoes_sigma_at(timestep):
    sigma = float(sigma_at(SD, torch.tensor(timestep, dtype=torch.float64)))
    assert timestep_at(SD, sigma, nearest=False) == pytest.approx(timestep, abs=1e-6)
    assert timestep_at(SD, sigma, nearest=True) == pytest.approx(timestep, abs=0.5 + 1e-6)


@pytest.mark.parametrize(("sigma", "timestep"), [(1e-6, 0), (1e6, 999)])
def test_levels_outside_the_trained_range_give_its_ends(sigma, timestep):
    assert timestep_at(SD, sigma, nearest=False) == timestep


def test_percent_counts_timesteps_done():
    assert sigma_at_percent(SD, 0) == math.inf
    assert sigma_at_percent(SD, 1) == 0
    assert timestep_at(SD, sigma_at_percent(SD, 0.25), nearest=False) == pytest.approx(0.75 * 999)


def test_ending_at_the_trained_level_replaces_only_the_zero():
    sigmas = normal(spaced("trailing"), 20)
    clean_end, trained_end = (
        spaced("trailing"),
        NoiseSchedule("scaled_linear", 0.00085, 0.012, set_alpha_to_one=False),
    )
    assert end_at_trained(sigmas, clean_end).tolist() == sigmas.tolist()
    ended = end_at_trained(sigmas, trained_end)
    assert ended[:-1].tolist() == sigmas[:-1].tolist()
    assert float(ended[-1]) == pytest.approx(float(training_sigmas(SD)[0]))


def test_a_run_that_already_reaches_the_trained_level_ends_at_zero():
    assert float(end_at_trained(sigmas_for(SD, "karras", 20), SD)[-1]) == 0


def test_where_a_run_from_noise_starts():
    highest = float(training_sigmas(SD)[-1])
    assert SAMPLERS["ddim"].start_scale(highest, SD) == math.sqrt(highest**2 + 1)
    assert SAMPLERS["euler"].start_scale(highest, SD) == highest
    assert SAMPLERS["euler"].start_scale(5.0, SD) == math.sqrt(26)
