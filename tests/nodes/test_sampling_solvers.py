"""Solvers against an ODE whose solution is known, and denoisers against the equations they invert."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

from nodes.sampling.condition import Condition, Control
from nodes.sampling.denoiser import ConditionalDenoiser
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.guidance import ClassifierFree, guided
from nodes.sampling.masking import blend, masked
from nodes.sampling.noise_schedule import NoiseSchedule, path_of, training_sigmas
from nodes.sampling.path import VARIANCE_EXPLODING
from nodes.sampling.run import denoise_latents
from nodes.sampling.samplers import SAMPLERS, SamplerName
from nodes.sampling.schedules import SCHEDULES, SchedulerName, sigmas_for
from nodes.sampling.solvers.dpm_fast import step_orders
from nodes.sampling.steps import no_callback

DATA_STD = 0.7
SD = NoiseSchedule("scaled_linear", 0.00085, 0.012)


def gaussian_denoiser(x, sigma):
    """The ideal denoiser of data from N(0, DATA_STD²); its ODE has the solution x(σ) ∝ √(DATA_STD² + σ²)."""
    return x * DATA_STD**2 / (DATA_STD**2 + sigma**2)


def test_menus_name_exactly_what_there_is():
    assert set(get_args(SamplerName)) == set(SAMPLERS)
    assert set(get_args(SchedulerName)) == set(SCHEDULES)


def silence(x):
    return lambda sigma, sigma_next: torch.zeros_like(x)


def solved(name, denoiser, x, steps, on_step=no_callback):
    sigmas = sigmas_for(SD, "karras", steps)
    return SAMPLERS[name].solve(denoiser, x, sigmas, silence(x), VARIANCE_EXPLODING, on_step)


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"dpm_fast", "dpm_adaptive"}))
def test_callback_sees_every_step_and_the_estimate(name):
    seen = []
    x = torch.ones(2, 1, 3, 3)
    solved(name, gaussian_denoiser, x, 4, lambda step, clean: seen.append((step, clean.shape)))
    assert seen == [(step, x.shape) for step in (1, 2, 3, 4)]


@pytest.mark.parametrize("name", ["dpm_fast", "dpm_adaptive"])
def test_solvers_with_steps_of_their_own_tell_how_far_they_are(name):
    seen = []
    solved(name, gaussian_denoiser, torch.ones(1, 1, 2, 2), 9, lambda step, clean: seen.append(step))
    assert seen == sorted(seen)
    assert seen[-1] == 9


@pytest.mark.parametrize(("estimates", "orders"), [(1, [1]), (3, [2, 1]), (6, [3, 2, 1]), (8, [3, 3, 2])])
def test_dpm_fast_spends_its_estimates(estimates, orders):
    assert step_orders(estimates) == orders


def test_dpm_adaptive_refuses_what_is_not_a_number():
    with pytest.raises(ArithmeticError, match="not a number"):
        solved("dpm_adaptive", lambda x, sigma: x * math.nan, torch.ones(1, 1, 2, 2), 5)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_start_is_not_changed_in_place(name):
    x = torch.ones(1, 1, 2, 2)
    solved(name, gaussian_denoiser, x, 3)
    assert (x == 1).all()


def oracle(prediction, clean, epsilon):
    """A network that predicts perfectly, from the definition of each parametrisation."""
    alpha_bar = 1 / (training_sigmas(SD) ** 2 + 1)

    def network(z, timestep, sigma, conditions):
        signal, noise = alpha_bar[int(timestep)].sqrt(), (1 - alpha_bar[int(timestep)]).sqrt()
        torch.testing.assert_close(z, signal * clean + noise * epsilon)
        return {"epsilon": epsilon, "sample": clean, "v_prediction": signal * epsilon - noise * clean}[
            prediction
        ]

    return network


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("timestep", [0, 500, 999])
def test_every_parametrisation_gives_the_clean_latents(prediction, timestep):
    clean, epsilon = torch.randn(
        2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    sigma = float(training_sigmas(SD)[timestep])
    denoiser = ConditionalDenoiser(oracle(prediction, clean, epsilon), SD, prediction, nearest_timestep=True)
    (estimate,) = denoiser(clean + sigma * epsilon, sigma, [Condition(torch.zeros(1, 2, 3))])
    torch.testing.assert_close(estimate, clean)


def test_the_velocity_of_a_flow_gives_the_clean_latents():
    clean, epsilon = torch.randn(
        2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    schedule, sigma = FlowSchedule(3.0), 0.7
    asked = []

    def network(z, timestep, sigma, conditions):
        asked.append((z, float(timestep)))
        return epsilon - clean

    denoiser = ConditionalDenoiser(network, schedule, "flow", nearest_timestep=True)
    x = path_of(schedule).noised(clean, epsilon, sigma)
    (estimate,) = denoiser(x, sigma, [Condition(torch.zeros(1, 2, 3))])
    torch.testing.assert_close(estimate, clean)
    assert torch.equal(asked[0][0], x)
    assert asked[0][1] == pytest.approx(700)


class CountingNetwork:
    """Predicts for every item the mean of its condition's context; notes the batch of each call."""

    def __init__(self):
        self.batches = []

    def __call__(self, z, timestep, sigma, conditions):
        self.batches.append(len(z))
        items = len(z) // len(conditions)
        values = torch.cat([condition.context.mean().expand(items) for condition in conditions])
        return values[:, None, None, None].expand_as(z)


def condition(value, tokens=2, controls=()):
    return Condition(torch.full((1, tokens, 3), float(value)), controls)


def guide(network, positive, negative, cfg):
    denoiser = ConditionalDenoiser(network, SD, "sample", nearest_timestep=True)
    return (
        guided(denoiser, (positive, negative), ClassifierFree(cfg))(torch.zeros(2, 4, 8, 8), 1.0)
        .unique()
        .item()
    )


def test_guidance_is_one_forward_and_the_formula():
    network = CountingNetwork()
    assert guide(network, [condition(3)], [condition(1)], cfg=2.5) == 1 + 2.5 * (3 - 1)
    assert network.batches == [4]


def test_guidance_of_one_leaves_the_negative_side_out():
    network = CountingNetwork()
    assert guide(network, [condition(3)], [condition(1)], cfg=1.0) == 3
    assert network.batches == [2]


def test_guidance_of_zero_is_the_negative_side():
    assert guide(CountingNetwork(), [condition(3)], [condition(1)], cfg=0.0) == 1


def test_prompts_of_one_side_count_in_equal_parts():
    assert guide(CountingNetwork(), [condition(3), condition(5)], [condition(1)], cfg=1.0) == 4


def test_conditions_that_do_not_fit_together_take_two_forwards():
    network = CountingNetwork()
    assert guide(network, [condition(3, tokens=4)], [condition(1)], cfg=2.0) == 5
    control = Control(network, 99.0, 0.0)
    assert guide(network, [condition(3, controls=(control,))], [condition(1)], cfg=2.0) == 5
    assert network.batches == [2, 2, 2, 2]


def test_masked_denoiser_holds_the_outside():
    clean, noise = torch.full((1, 1, 2, 2), 5.0), torch.ones(1, 1, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [1.0, 0.0]])[None, None]
    seen = []

    def denoiser(x, sigma):
        seen.append(x)
        return torch.zeros_like(x)

    estimate = masked(denoiser, lambda sigma: mask, clean, noise, VARIANCE_EXPLODING)(
        torch.zeros(1, 1, 2, 2), 3.0
    )
    assert seen[0].flatten().tolist() == [0, 8, 0, 8]
    assert estimate.flatten().tolist() == [0, 5, 0, 5]


def test_blend_of_a_half_mask_is_the_mean():
    assert blend(torch.tensor(0.5), torch.tensor(1.0), torch.tensor(3.0)) == 2


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_perfect_denoiser_recovers_the_picture_it_was_given(name):
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    latents = denoise_latents(
        lambda x, sigma: clean,
        SAMPLERS[name],
        SD,
        sigmas_for(SD, "karras", 8),
        clean,
        noise,
        silence(noise),
        from_noise=False,
    )
    lowest = 0.03 if name in ("dpm_fast", "dpm_adaptive") else 0  # they end at the last level above 0
    torch.testing.assert_close(latents, clean, atol=1e-5 + 5 * lowest, rtol=0)
