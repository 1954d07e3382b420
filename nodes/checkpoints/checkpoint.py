"""What a checkpoint holds."""

from __future__ import annotations

from typing import NamedTuple

from nodes.types import Clip, Model, Vae


class Checkpoint(NamedTuple):
    """The three parts of a text-to-image checkpoint."""

    model: Model
    clip: Clip
    vae: Vae
