"""Autoencoders of their own: single files, folders of diffusers, tiny ones in two files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import AUTOENCODERS
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.families import FAMILIES
from nodes.checkpoints.families.family import LatentSpace
from nodes.checkpoints.files import FileSource
from nodes.checkpoints.recipes import DIFFUSERS_STEM, DiffusersRecipe
from nodes.checkpoints.single_file import load_vae, read_contents
from nodes.checkpoints.tiny import TinyAutoencoderRecipe
from nodes.types import Vae
from nodes.weights.header import UnknownFileError
from nodes.weights.tensors import weight_files

LatentFamily = Literal["auto", "sd", "sdxl", "sd3", "flux"]

LATENT_SPACES: dict[str, LatentSpace] = {family.latents.family: family.latents for family in FAMILIES}
ARCHITECTURE = "modelspec.architecture"
"""Where the metadata of a file says what it is for."""
SPELLINGS = {
    "sdxl": ("xl",),
    "flux": ("flux", "taef1"),
    "sd3": ("stable-diffusion-3", "stable-diffusion-v3", "sd3"),
}
"""What the names of a family's files and architectures contain; looked for in this order."""
BY_CHANNELS = {4: "sd", 16: "flux"}
"""The family of an autoencoder whose file says nothing."""
TINY_CLASS = "AutoencoderTiny"
LEVELS = {"AutoencoderKL": "block_out_channels", TINY_CLASS: "decoder_block_out_channels"}
"""The classes that folders may hold, and the setting that lists their levels."""


def load_autoencoder(file: File, files: FileSource, family: LatentFamily) -> Vae:
    """An autoencoder in a file, a folder or two files of its own.

    Args:
        file: the file.
        files: where it is found.
        family: whose latents it makes. Files of several families look alike; ``auto`` goes by what the
            metadata and then the name say, and else by the number of channels.

    Raises:
        FileProblem: it holds none; the message says what it holds instead.
    """
    try:
        if file.halves:
            return _from_halves(file, files, family)
        path = files.path(file)
        return _from_folder(file, path, family) if path.is_dir() else _from_file(file, path, family)
    except (FileProblem, FileNotFoundError, UnknownFileError) as problem:
        raise FileProblem(f"autoencoder {file.name!r} cannot be used: {problem}") from problem


def _from_file(file: File, path: Path, family: LatentFamily) -> Vae:
    contents = read_contents(file, path)
    found = contents.first(AUTOENCODERS)
    if found is None:
        raise FileProblem(f"{contents.description}; an autoencoder is wanted")
    said = contents.header.metadata.get(ARCHITECTURE, ""), file.name
    channels = contents.settings(found)["latent_channels"]
    return load_vae(contents, found, LATENT_SPACES[_family(family, said, channels)])


def _from_halves(file: File, files: FileSource, family: LatentFamily) -> Vae:
    encoder, decoder = file.halves
    weights = TinyAutoencoderRecipe(encoder, decoder)
    settings = weights.settings(files)
    channels = settings["latent_channels"]
    return Vae(
        weights=weights,
        family=_family(family, (file.name,), channels),
        latent_channels=channels,
        scale=2 ** (len(settings["decoder_block_out_channels"]) - 1),
        scaling_factor=1.0,  # it works in the denoiser's scale
    )


def _from_folder(file: File, path: Path, family: LatentFamily) -> Vae:
    config = read_config(path / "config.json")
    name = config.get("_class_name")
    if name not in LEVELS:
        raise FileProblem(f"it holds a {name or 'model of no class'}; known are {', '.join(LEVELS)}")
    weight_files(path, DIFFUSERS_STEM)
    channels = config.get("latent_channels", 4)
    whose = _family(family if family != "auto" else _by_scale(config), (file.name,), channels)
    latents = LatentSpace(whose, 1.0) if name == TINY_CLASS else LATENT_SPACES[whose]
    return Vae(
        weights=DiffusersRecipe(file, name, force_upcast=config.get("force_upcast", name != TINY_CLASS)),
        family=whose,
        latent_channels=channels,
        scale=2 ** (len(config.get(LEVELS[name], (64,) * 4)) - 1),
        scaling_factor=config.get("scaling_factor", latents.scaling_factor),
        shift_factor=config.get("shift_factor") or 0.0,
    )


def _by_scale(config: Config) -> str:
    """The family whose latents have the scale that a config tells; ``auto`` where none has."""
    scale = config.get("scaling_factor")
    return next((name for name, space in LATENT_SPACES.items() if space.scaling_factor == scale), "auto")


def _family(chosen: str, said: tuple[str, ...], channels: int) -> str:
    if chosen != "auto":
        return chosen
    for text in said:
        for family, spellings in SPELLINGS.items():
            if any(spelling in text.lower() for spelling in spellings):
                return family
    return BY_CHANNELS.get(channels, "sd")
