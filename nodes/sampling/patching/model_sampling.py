"""Sampling a model otherwise than its checkpoint says."""

from __future__ import annotations

import dataclasses
from typing import Literal

from nodes.sampling.denoiser import Prediction
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.noise_schedule import NoiseSchedule, Schedule
from nodes.types import Model

SamplingName = Literal["eps", "v_prediction", "lcm", "x0"]

PREDICTIONS: dict[SamplingName, Prediction] = {
    "eps": "epsilon",
    "v_prediction": "v_prediction",
    "lcm": "epsilon",
    "x0": "sample",
}

LCM_TIMESTEPS = 50
"""Latent consistency models were distilled at every twentieth of 1000 timesteps (Luo et al. 2023, Sec. 4.3).
At these the boundary condition of a consistency model, c_skip ≤ 7e-6, is not worth computing."""


def as_diffusion(model: Model, sampling: SamplingName, *, zero_terminal_snr: bool) -> Model:
    """``model`` with another prediction, its last timestep pure noise if so wished.

    Raises:
        ValueError: it is a flow model.
    """
    schedule = diffusion_schedule(model)
    schedule = dataclasses.replace(
        schedule,
        rescale_zero_snr=zero_terminal_snr or schedule.rescale_zero_snr,
        distilled_timesteps=LCM_TIMESTEPS if sampling == "lcm" else None,
    )
    return dataclasses.replace(model, schedule=schedule, prediction=PREDICTIONS[sampling])


def as_flow(model: Model, shift: float) -> Model:
    """``model`` as a flow with that shift."""
    levels = model.schedule.num_train_timesteps if isinstance(model.schedule, FlowSchedule) else 1000
    return dataclasses.replace(model, schedule=FlowSchedule(shift, levels), prediction="flow")


def diffusion_schedule(model: Model) -> NoiseSchedule:
    """The noise of a diffusion model.

    Raises:
        ValueError: it is a flow model.
    """
    schedule: Schedule = model.schedule
    if isinstance(schedule, FlowSchedule):
        raise ValueError(f"family {model.family} is a flow model, which has no ε or v to predict")
    return schedule
