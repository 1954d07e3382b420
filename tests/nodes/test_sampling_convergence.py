"""Every sampler against exact solutions: the order it converges at, and the moments of stochastic ones."""

from __future__ import annotations

from functools import cache, partial

import pytest
import torch
from analytic_denoisers import (
    consistency_function,
    gaussian_denoiser,
    marginal,
    mixture_denoiser,
    mixture_quantiles,
    moments,
)

from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.noise_schedule import NoiseSchedule, path_of
from nodes.sampling.path import RECTIFIED_FLOW, VARIANCE_EXPLODING, Path
from nodes.sampling.samplers import SAMPLERS, Solve, variance_exploding
from nodes.sampling.schedules import SCHEDULES, sigmas_for
from nodes.sampling.sigma_schedules import karras
from nodes.sampling.solvers.dpm_2_ancestral import sample_dpm_2_ancestral
from nodes.sampling.solvers.dpm_adaptive import sample_dpm_adaptive
from nodes.sampling.solvers.dpmpp_2m_sde import sample_dpmpp_2m_sde
from nodes.sampling.solvers.dpmpp_2s_ancestral import sample_dpmpp_2s_ancestral
from nodes.sampling.solvers.dpmpp_3m_sde import sample_dpmpp_3m_sde
from nodes.sampling.solvers.dpmpp_sde import sample_dpmpp_sde
from nodes.sampling.solvers.euler_ancestral import sample_euler_ancestral
from nodes.sampling.steps import no_callback

RANGES = {VARIANCE_EXPLODING: (80.0, 0.05), RECTIFIED_FLOW: (0.97, 0.03)}
"""Highest and lowest level; the step to σ = 0 is of first order for every solver and is left out."""

PATHS = pytest.mark.parametrize("path", RANGES, ids=lambda path: path.kind)
QUANTILES = torch.linspace(0.02, 0.98, 33, dtype=torch.float64)

ODE_ORDERS = {
    "euler": 1,
    "ddim": 1,
    "heun": 2,
    "dpm_2": 2,
    "dpmpp_2m": 2,
    "lms": 2,
    "dpm_fast": 3,
    "uni_pc": 3,
    "uni_pc_bh2": 3,
}
"""At least; a first step of low order holds lms to 2, and the corrector can give UniPC one more."""

SILENT = {
    "euler_ancestral": (1, partial(sample_euler_ancestral, eta=0.0)),
    "dpm_2_ancestral": (2, partial(sample_dpm_2_ancestral, eta=0.0)),
    "dpmpp_2s_ancestral": (2, partial(sample_dpmpp_2s_ancestral, eta=0.0)),
    "dpmpp_sde": (2, variance_exploding(partial(sample_dpmpp_sde, eta=0.0))),
    "dpmpp_2m_sde": (2, variance_exploding(partial(sample_dpmpp_2m_sde, eta=0.0))),
    "dpmpp_3m_sde": (2, variance_exploding(partial(sample_dpmpp_3m_sde, eta=0.0))),
}
"""Stochastic samplers without their noise solve the ODE."""

WEAK_ORDERS = {
    "euler_ancestral": 1,
    "ddpm": 1,
    "dpm_2_ancestral": 2,
    "dpmpp_2s_ancestral": 2,
    "dpmpp_sde": 2,
    "dpmpp_2m_sde": 2,
    "dpmpp_3m_sde": 2,
}
"""Order at which the covariance of the end becomes that of the exact marginal."""


def levels(path: Path, estimates: int) -> torch.Tensor:
    high, low = RANGES[path]
    return karras(estimates, low, high)[:-1]


def ode_error(solve: Solve, path: Path, steps: int) -> float:
    """Largest distance from the exact solution for a mixture of two Gaussians."""
    sigmas = levels(path, steps)
    start, exact = (mixture_quantiles(path, float(sigmas[end]), QUANTILES) for end in (0, -1))
    found = solve(mixture_denoiser(path), start, sigmas, lambda a, b: torch.zeros(()), path, no_callback)
    return float((found - exact).abs().max())


def slope(errors: dict[int, float]) -> float:
    """Of the log of the error over the log of the number of steps, by least squares; positive if it falls."""
    x = torch.tensor(list(errors), dtype=torch.float64).log()
    y = torch.tensor(list(errors.values()), dtype=torch.float64).log()
    return -float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())


@cache
def ode_slope(name: str, path: Path) -> float:
    solve = SILENT[name][1] if name in SILENT else SAMPLERS[name].solve
    return slope({steps: ode_error(solve, path, steps) for steps in (30, 60, 120)})


@PATHS
@pytest.mark.parametrize(("name", "order"), ODE_ORDERS.items())
def test_ode_samplers_converge_at_their_order(name, order, path):
    measured = ode_slope(name, path)
    assert measured > order - 0.15
    if order == 1:
        assert measured < 1.15


@PATHS
@pytest.mark.parametrize("name", SILENT)
def test_stochastic_samplers_without_noise_converge_at_their_order(name, path):
    assert ode_slope(name, path) == pytest.approx(SILENT[name][0], abs=0.3)


@PATHS
def test_dpm_adaptive_is_as_exact_as_its_tolerance_and_takes_more_steps_for_it(path):
    counts = []

    def error(tolerance: float) -> float:
        calls = []
        denoiser = mixture_denoiser(path)

        def counting(x, sigma):
            calls.append(sigma)
            return denoiser(x, sigma)

        solver = partial(sample_dpm_adaptive, rtol=tolerance, atol=tolerance)
        found = ode_error(lambda d, x, s, noise, p, told: solver(counting, x, s, told), path, 10)
        counts.append(len(calls))
        return found

    errors = {1 / tolerance: error(tolerance) for tolerance in (1e-2, 1e-3, 1e-4, 1e-5)}
    assert slope(errors) == pytest.approx(1, abs=0.3)
    assert counts == sorted(counts)
    assert 2 < counts[-1] / counts[0] < 20  # third order: ten times for a thousand times the tolerance


def covariance_error(name: str, path: Path, steps: int) -> float:
    sampler, sigmas = SAMPLERS[name], levels(path, steps)
    denoiser = consistency_function(path) if name == "lcm" else gaussian_denoiser(path)
    mean, covariance = moments(
        lambda x, noise: sampler.solve(denoiser, x, sigmas, noise, path, no_callback),
        path,
        float(sigmas[0]),
    )
    exact_mean, exact_covariance = marginal(path, float(sigmas[-1]))
    torch.testing.assert_close(mean, exact_mean, rtol=0, atol=1e-9)
    return float((covariance - exact_covariance).abs().max())


@cache
def weak_slope(name: str, path: Path) -> float:
    return slope({steps: covariance_error(name, path, steps) for steps in (20, 40, 80)})


@PATHS
@pytest.mark.parametrize(("name", "order"), WEAK_ORDERS.items())
def test_stochastic_samplers_reach_the_exact_marginal(name, order, path):
    assert weak_slope(name, path) > order - 0.35
    assert covariance_error(name, path, 80) < 0.08


@PATHS
def test_lcm_keeps_the_marginal_of_a_perfect_consistency_model_exactly(path):
    assert covariance_error("lcm", path, 4) < 1e-12


def test_every_sampler_is_measured():
    assert {*ODE_ORDERS, *WEAK_ORDERS, "dpm_adaptive", "lcm"} == set(SAMPLERS)
    assert {*SILENT, "ddpm"} == set(WEAK_ORDERS)


SD = NoiseSchedule("scaled_linear", 0.00085, 0.012)
FAR_APART = {
    *(
        (name, scheduler)
        for name in ("dpmpp_2m_sde", "dpmpp_3m_sde")
        for scheduler in ("normal", "ddim_uniform")
    ),
}
"""Multistep solvers extrapolate badly where a schedule's last step is much longer than those before."""


@pytest.mark.parametrize("trained", [SD, FlowSchedule(3.0)], ids=["diffusion", "flow"])
@pytest.mark.parametrize("scheduler", SCHEDULES)
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_nears_the_data_on_every_schedule(name, scheduler, trained):
    path, sampler = path_of(trained), SAMPLERS[name]

    def error(steps: int) -> float:
        sigmas = sigmas_for(trained, scheduler, steps, skip_last_but_one=sampler.skips_last_but_one)
        sigmas = sampler.levels(sigmas, trained)
        denoiser = consistency_function(path) if name == "lcm" else gaussian_denoiser(path)
        mean, covariance = moments(
            lambda x, noise: sampler.solve(denoiser, x, sigmas, noise, path, no_callback),
            path,
            float(sigmas[0]),
        )
        exact = marginal(path, 0.0)
        return max(float((mean - exact[0]).abs().max()), float((covariance - exact[1]).abs().max()))

    few, many = error(6), error(24)
    assert many < max(few, 0.05)
    made_for_flows = scheduler == "linear_quadratic" and trained is SD
    assert many < 0.3 or made_for_flows or (name, scheduler) in FAR_APART
