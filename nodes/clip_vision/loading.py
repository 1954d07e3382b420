"""CLIP's vision encoders as single files and as folders of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nodegraph import File, FileLocator, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import ARCHITECTURES, VISION_ENCODERS
from nodes.checkpoints.configs import read_config
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.recipes import TRANSFORMERS_STEM, TransformersRecipe
from nodes.checkpoints.single_file import read_contents
from nodes.checkpoints.text_encoders import restore_position_ids
from nodes.types import ClipVision
from nodes.weights.header import UnknownFileError
from nodes.weights.tensors import weight_files

CLASS_NAME = "CLIPVisionModelWithProjection"
DEFAULTS = {"hidden_size": 768, "projection_dim": 512, "image_size": 224}
"""What a config of transformers leaves out."""
KINDS = ("clip", "clip_vision_model")


@dataclass(frozen=True)
class ClipVisionRecipe:
    """A CLIP vision encoder.

    Attributes:
        network: makes transformers' ``CLIPVisionModelWithProjection``.
    """

    network: ModelRecipe[Any]

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The encoder on the CPU, weights in ``dtype``."""
        encoder = self.network.build(files, dtype)
        positions = encoder.vision_model.embeddings.position_embedding.num_embeddings
        restore_position_ids(encoder, positions)
        return encoder


def load_clip_vision(file: File, path: Path) -> ClipVision:
    """The recipe of a vision encoder, from its config or its header alone.

    Raises:
        FileProblem: it is none; the message says what it is instead.
    """
    try:
        return _folder(file, path) if path.is_dir() else _single_file(file, path)
    except (FileProblem, FileNotFoundError, UnknownFileError) as problem:
        raise FileProblem(f"CLIP vision encoder {file.name!r} cannot be used: {problem}") from problem


def _folder(file: File, path: Path) -> ClipVision:
    config = read_config(path / "config.json")
    if config.get("model_type") not in KINDS:
        raise FileProblem(f"its config is of a {config.get('model_type', 'model of no type')}")
    weight_files(path, TRANSFORMERS_STEM)
    settings = {**DEFAULTS, **config, **config.get("vision_config", {})}
    settings["projection_dim"] = config.get("projection_dim", settings["projection_dim"])
    return _described(settings, TransformersRecipe(file, CLASS_NAME))


def _single_file(file: File, path: Path) -> ClipVision:
    contents = read_contents(file, path)
    found = contents.first(VISION_ENCODERS)
    if found is None:
        wanted = ARCHITECTURES[VISION_ENCODERS[0]].description
        raise FileProblem(f"{contents.description}; a {wanted} is wanted")
    return _described(contents.settings(found), NetworkRecipe(file, found.architecture))


def _described(settings: Mapping[str, Any], network: ModelRecipe[Any]) -> ClipVision:
    return ClipVision(
        ClipVisionRecipe(network),
        embed_width=settings["projection_dim"],
        hidden_width=settings["hidden_size"],
        side=settings["image_size"],
    )
