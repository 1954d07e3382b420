"""Reading how a model was trained from its scheduler config."""

from __future__ import annotations

from typing import Any, get_args

from nodegraph.errors import FileProblem
from nodes.checkpoints.configs import Config
from nodes.checkpoints.families.family import Training
from nodes.checkpoints.families.flux import SIDE
from nodes.sampling.denoiser import DiffusionPrediction
from nodes.sampling.flow_schedule import FlowSchedule, flux_shift
from nodes.sampling.noise_schedule import BetaSchedule, NoiseSchedule, Spacing

FLOW_CLASS = "FlowMatchEulerDiscreteScheduler"


def training(config: Config) -> Training:
    """How a model was trained.

    Raises:
        FileProblem: its scheduler config declares something that is not known.
    """
    if config.get("_class_name") == FLOW_CLASS:
        return Training(flow_schedule(config), "flow")
    return Training(noise_schedule(config), prediction(config))


def flow_schedule(config: Config) -> FlowSchedule:
    """The noise levels of a flow model; a shift that depends on the picture's size is that of 1024 x 1024."""
    if config.get("use_dynamic_shifting"):
        shifts = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        return FlowSchedule(flux_shift(SIDE, SIDE, *shifts))
    return FlowSchedule(config.get("shift", 1.0))


def noise_schedule(config: Config) -> NoiseSchedule:
    """The noise a model was trained with; what the config leaves out is as in diffusers' schedulers.

    Raises:
        FileProblem: it declares a schedule that is not known.
    """
    trained = config.get("trained_betas")
    return NoiseSchedule(
        beta_schedule=_known(config, "beta_schedule", "linear", BetaSchedule),
        beta_start=config.get("beta_start", 0.0001),
        beta_end=config.get("beta_end", 0.02),
        num_train_timesteps=config.get("num_train_timesteps", 1000),
        trained_betas=tuple(trained) if trained else None,
        rescale_zero_snr=config.get("rescale_betas_zero_snr", False),
        spacing=_known(config, "timestep_spacing", "linspace", Spacing),
        steps_offset=config.get("steps_offset", 0),
        set_alpha_to_one=config.get("set_alpha_to_one", True),
    )


def prediction(config: Config) -> DiffusionPrediction:
    """What the network predicts.

    Raises:
        FileProblem: it is something that is not known.
    """
    value: DiffusionPrediction = _known(config, "prediction_type", "epsilon", DiffusionPrediction)
    return value


def _known(config: Config, setting: str, default: str, allowed: Any) -> Any:
    value = config.get(setting, default)
    if value not in get_args(allowed):
        known = ", ".join(get_args(allowed))
        raise FileProblem(f"its scheduler config has {setting} {value!r}; known are {known}")
    return value
