"""What a checkpoint holds, and what knows how to read one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from nodegraph import File
from nodes.types import Clip, Model, Vae


class Checkpoint(NamedTuple):
    """The three parts of a text-to-image checkpoint."""

    model: Model
    clip: Clip
    vae: Vae


class CheckpointFamily(Protocol):
    """One model family in one file layout."""

    description: str
    """What it reads, for people who gave it something else."""

    def detect(self, components: Mapping[str, str]) -> bool:
        """Whether a folder whose pipeline has these components, class by name, is one of these."""

    def load(self, file: File, root: Path) -> Checkpoint:
        """The recipes of the parts, from configs alone.

        Raises:
            FileProblem: a part is missing, or is of a kind that cannot be used.
        """
