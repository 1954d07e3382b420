"""The raw networks of each model family behind one signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodes.sampling.denoiser import Network
from nodes.sampling.networks.flux import flux
from nodes.sampling.networks.stable_diffusion import stable_diffusion, stable_diffusion_xl
from nodes.sampling.networks.stable_diffusion_3 import stable_diffusion_3

NETWORKS: dict[str, Callable[[Any], Network]] = {
    "sd": stable_diffusion,
    "sdxl": stable_diffusion_xl,
    "sdxl_refiner": stable_diffusion_xl,
    "sd3": stable_diffusion_3,
    "flux": flux,
}
