"""Where model files lie: folders like ComfyUI's or A1111's, and ComfyUI's ``extra_model_paths.yaml``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

YAML_SUFFIXES = (".yaml", ".yml")
ALIASES: Mapping[str, tuple[str, ...]] = {
    "checkpoints": ("checkpoints", "Stable-diffusion"),
    "controlnet": ("controlnet", "ControlNet", "t2i_adapter"),
    "diffusion_models": ("diffusion_models", "unet"),
    "loras": ("loras", "Lora"),
    "text_encoders": ("text_encoders", "clip", "text_encoder"),
    "upscale_models": ("upscale_models", "ESRGAN", "RealESRGAN"),
    "vae": ("vae", "VAE"),
}
"""Names of the folders of one kind: ours, which is ComfyUI's, its older one, and A1111's."""


class Halves(NamedTuple):
    """Models that lie as two files beside one another.

    Attributes:
        folder: the kind of the folder they lie in.
        endings: what follows the model's name in the names of the two files.
    """

    folder: str
    endings: tuple[str, str]


HALVES: Mapping[str, Halves] = {"vae": Halves("vae_approx", ("_encoder.safetensors", "_decoder.safetensors"))}
"""Kinds that have such models too: to ComfyUI ``taesd`` is a VAE that lies as ``taesd_encoder`` and
``taesd_decoder`` in ``vae_approx``."""
INSIDE = ("", "models")
"""Where below a root they stand: a root may be the models folder or the program's whole folder."""
BASE = "base_path"


class ModelFoldersError(ValueError):
    """A file of model paths cannot be used."""


def is_model_root(path: Path) -> bool:
    """Whether models can be looked for there: a folder, or a YAML file that names folders."""
    return path.is_dir() or (path.is_file() and path.suffix in YAML_SUFFIXES)


def folders_of(root: Path, kind: str) -> list[Path]:
    """The folders below a root that hold one kind of models, whether they exist or not.

    Raises:
        ModelFoldersError: the root is a YAML file that cannot be read.
    """
    names = ALIASES.get(kind, (kind,))
    if root.is_file():
        listed = _listed(root, root.stat().st_mtime_ns)
        return [folder for name in names for folder in listed.get(name, ())]
    return list(dict.fromkeys(root / inside / name for inside in INSIDE for name in names))


def kinds_of(root: Path) -> set[str]:
    """The kinds of models that a root has folders for, under our names."""
    if root.is_file():
        return {_kind(name) for name in _listed(root, root.stat().st_mtime_ns)}
    names = {path.name for path in root.iterdir() if path.is_dir()} if root.is_dir() else set()
    return {_kind(name) for name in names}


def _kind(name: str) -> str:
    return next((kind for kind, names in ALIASES.items() if name in names), name)


@lru_cache(maxsize=64)
def _listed(path: Path, modified: int) -> Mapping[str, tuple[Path, ...]]:
    """The folders that a YAML file names, by kind as it stands there; read anew when it was modified."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ModelFoldersError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(part, dict) for part in document.values()):
        raise ModelFoldersError(f"{path} does not name folders as ComfyUI's extra_model_paths.yaml does")
    found: dict[str, tuple[Path, ...]] = {}
    for section in document.values():
        base = path.parent / _expanded(str(section.get(BASE) or "."))
        for kind, text in section.items():
            if kind != BASE and isinstance(text, str):
                found[str(kind)] = found.get(str(kind), ()) + tuple(_lines(base, text))
    return found


def _lines(base: Path, text: str) -> Iterator[Path]:
    """One folder in each line."""
    yield from (base / _expanded(line.strip()) for line in text.splitlines() if line.strip())


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()
