"""The model families: how each is recognised, sampled, and told its prompt."""

from __future__ import annotations

from nodes.checkpoints.families.family import Family
from nodes.checkpoints.families.flux import Flux
from nodes.checkpoints.families.stable_diffusion import StableDiffusion
from nodes.checkpoints.families.stable_diffusion_3 import StableDiffusion3
from nodes.checkpoints.families.stable_diffusion_xl import StableDiffusionXL, StableDiffusionXLRefiner

FAMILIES: tuple[Family, ...] = (
    StableDiffusion(),
    StableDiffusionXL(),
    StableDiffusionXLRefiner(),
    StableDiffusion3(),
    Flux(),
)
