"""Noise levels: what models were trained at, and which of them a run visits."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodes.sampling.flow_schedule import FlowSchedule, flux_shift
from nodes.sampling.noise_schedule import (
    NoiseSchedule,
    sigma_at,
    sigma_at_percent,
    timestep_at,
    training_sigmas,
)
from nodes.sampling.path import RECTIFIED_FLOW, VARIANCE_EXPLODING
from nodes.sampling.samplers import SAMPLERS
from nodes.sampling.schedules import SCHEDULES, end_at_trained, sigmas_for, total_steps
from nodes.sampling.sigma_schedules import exponential, karras, kl_optimal, linear_quadratic
from nodes.sampling.timestep_schedules import (
    beta,
    ddim_uniform,
    normal,
    sd_turbo,
    sgm_uniform,
    simple,
    timesteps,
)

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
    scheduler=st.sampled_from(sorted(SCHEDULES)),
    schedule=st.sampled_from([*map(spaced, SPACINGS), FlowSchedule(), FlowSchedule(3.0), FlowSchedule(0.5)]),
    skip=st.booleans(),
)
def test_sigmas_fall_strictly_to_zero(steps, denoise, scheduler, schedule, skip):
    sigmas = sigmas_for(schedule, scheduler, steps, denoise, skip_last_but_one=skip)
    assert (sigmas.diff() < 0).all()
    assert sigmas[-1] == 0
    assert sigmas[0] <= training_sigmas(schedule)[-1] * (1 + 1e-9)
    if scheduler == "ddim_uniform" and denoise == 1.0:
        assert len(sigmas) >= steps + 1
    elif scheduler == "beta":
        assert len(sigmas) <= steps + 1
    else:
        assert len(sigmas) == steps + 1


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


# --- the formulas of the other schedules ----------------------------------------------------------------

FLOW = FlowSchedule(3.0)
LOW, HIGH, STEPS = 0.03, 14.6, 6


def test_exponential_is_even_in_log_sigma():
    ratios = exponential(STEPS, LOW, HIGH)[:-1].log().diff()
    torch.testing.assert_close(ratios, ratios[:1].expand(STEPS - 1))


def test_kl_optimal_is_even_in_arctan_sigma():
    angles = kl_optimal(STEPS, LOW, HIGH)[:-1].atan()
    torch.testing.assert_close(angles.diff(), angles.diff()[:1].expand(STEPS - 1))
    assert angles[0].tan() == pytest.approx(HIGH)
    assert angles[-1].tan() == pytest.approx(LOW)


def test_karras_with_rho_one_is_even_in_sigma():
    levels = karras(STEPS, LOW, HIGH, rho=1.0)[:-1]
    torch.testing.assert_close(levels, torch.linspace(HIGH, LOW, STEPS, dtype=torch.float64))


def test_linear_quadratic_joins_a_line_and_a_parabola_without_a_kink():
    done = 1 - linear_quadratic(40, 0.0, 1.0)
    torch.testing.assert_close(done[:21], torch.linspace(0, 0.025, 21, dtype=torch.float64))
    bends = done.diff().diff()
    assert bends[:19].abs().max() < 1e-12
    torch.testing.assert_close(bends[20:], bends[20:21].expand(19))
    assert done[-1] == 1


def test_sgm_uniform_leaves_out_the_cleanest_timestep():
    expected = sigma_at(SD, torch.tensor([999.0, 666.0, 333.0], dtype=torch.float64))
    torch.testing.assert_close(sgm_uniform(SD, 3)[:-1], expected)


def test_simple_takes_every_nth_trained_level_from_the_top():
    trained = training_sigmas(SD)
    assert simple(SD, 4).tolist() == [*trained[[999, 749, 499, 249]].tolist(), 0.0]


def test_ddim_uniform_takes_every_nth_timestep_from_one_on():
    trained = training_sigmas(SD)
    assert ddim_uniform(SD, 4).tolist() == [*trained[[751, 501, 251, 1]].tolist(), 0.0]
    assert len(ddim_uniform(SD, 30)) == 32  # 1000 // 30 = 33 fits 31 times


def test_beta_with_both_parameters_one_is_even_in_timesteps():
    trained = training_sigmas(SD)
    expected = [999, 749, 500, 250]  # 999, 749.25, 499.5, 249.75
    assert beta(SD, 4, 1.0, 1.0).tolist() == [*trained[expected].tolist(), 0.0]


def test_beta_below_one_crowds_the_ends():
    middle = beta(SD, 10, 1.0, 1.0)
    crowded = beta(SD, 10, 0.6, 0.6)
    assert crowded[1] > middle[1]
    assert crowded[-2] < middle[-2]


def test_sd_turbo_starts_at_the_top_and_knows_ten_levels():
    trained = training_sigmas(SD)
    torch.testing.assert_close(sd_turbo(SD, 1)[:-1], trained[[999]])
    torch.testing.assert_close(sd_turbo(SD, 2, 0.5)[:-1], trained[[499, 399]])


# --- flow models ----------------------------------------------------------------------------------------


def test_flow_shift_is_that_of_diffusers():
    from diffusers import FlowMatchEulerDiscreteScheduler

    theirs = FlowMatchEulerDiscreteScheduler(shift=3.0)
    torch.testing.assert_close(training_sigmas(FLOW).flip(0), theirs.sigmas.double(), rtol=1e-5, atol=1e-6)
    theirs.set_timesteps(7)
    torch.testing.assert_close(normal(FLOW, 7), theirs.sigmas.double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("side", "mu"), [(256, 0.5), (1024, 1.15)])
def test_flux_shift_grows_with_the_picture(side, mu):
    assert math.log(flux_shift(side, side)) == pytest.approx(mu)
    assert flux_shift(side, side) < flux_shift(side, side + 16)


def test_a_flow_network_is_told_a_thousand_times_sigma():
    assert timestep_at(FLOW, 0.25, nearest=True) == 250
    assert sigma_at_percent(FLOW, 0.5) == pytest.approx(3 * 0.5 / 2)


@given(sigma=st.floats(1e-3, 0.999), higher=st.floats(1e-3, 0.999))
def test_paths_keep_their_scaling(sigma, higher):
    low, high = sorted((sigma, higher))
    for path in (VARIANCE_EXPLODING, RECTIFIED_FLOW):
        assert path.at_ratio(path.ratio(sigma)) == pytest.approx(sigma)
        scale, deviation = path.raising(low, high)
        assert scale * path.alpha(low) == pytest.approx(path.alpha(high))
        assert (scale * low) ** 2 + deviation**2 == pytest.approx(high**2)


# --- distilled models -----------------------------------------------------------------------------------


def test_a_distilled_model_knows_every_twentieth_timestep():
    distilled = NoiseSchedule("scaled_linear", 0.00085, 0.012, distilled_timesteps=50)
    trained = training_sigmas(SD)
    assert training_sigmas(distilled).tolist() == trained[19::20].tolist()
    assert timestep_at(distilled, float(trained[519]), nearest=True) == 519
    assert timestep_at(distilled, 1e-3, nearest=True) == 19
    torch.testing.assert_close(
        sigma_at(distilled, torch.tensor([999.0, 19.0], dtype=torch.float64)), trained[[999, 19]]
    )
    with pytest.raises(ValueError, match="51 steps do not fit into 50"):
        sigmas_for(distilled, "simple", 51)
