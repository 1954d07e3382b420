"""Reading safetensors into modules without touching any global state.

The loaders of diffusers and transformers set the default dtype and patch ``torch.nn`` while they load,
which other threads would see. Here a module is laid out on the meta device and its tensors are put in place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from nodes.weights.finite import begin_finite, check_finite
from nodes.weights.mapped import MappedTensors

M = TypeVar("M", bound=nn.Module)

PICKLED_SUFFIXES = (".bin", ".ckpt", ".pt", ".pth")

LEGACY_ATTENTION = (
    (re.compile(r"\.query\."), ".to_q."),
    (re.compile(r"\.key\."), ".to_k."),
    (re.compile(r"\.value\."), ".to_v."),
    (re.compile(r"\.proj_attn\."), ".to_out.0."),
)
"""Names of attention layers in autoencoders saved before diffusers 0.15."""


def weight_files(folder: Path, stem: str) -> list[Path]:
    """The safetensors files that hold a component: one, or several where an index says so.

    Args:
        stem: ``diffusion_pytorch_model`` or ``model``; a half-precision variant serves as well.

    Raises:
        FileNotFoundError: there is none; the message says what lies there instead.
    """
    for name in (stem, f"{stem}.fp16"):
        single = folder / f"{name}.safetensors"
        if single.is_file():
            return [single]
    for index in (folder / f"{stem}.safetensors.index.json", folder / f"{stem}.safetensors.index.fp16.json"):
        if index.is_file():
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
            return [folder / Path(shard).name for shard in sorted(set(shards))]
    pickled = [path.name for path in sorted(folder.glob(f"{stem}*")) if path.suffix in PICKLED_SUFFIXES]
    hint = (
        f"{pickled[0]} is a pickle, which is never loaded; convert it to safetensors"
        if pickled
        else "no weights"
    )
    raise FileNotFoundError(f"no {stem}.safetensors in {folder.name}/ ({hint})")


def read_tensors(files: Iterable[Path], prefix: str = "") -> MappedTensors:
    """Tensors of the files whose names begin with ``prefix``, by what follows it; mapped, not yet read."""
    return MappedTensors(list(files), prefix)


def assemble(
    make: Callable[[], M], tensors: dict[str, Tensor], dtype: torch.dtype, source: MappedTensors | None = None
) -> M:
    """Make a module around ``tensors``.

    Args:
        make: makes the module; its initial values are never computed.
        tensors: by parameter name; names of old versions are understood. Emptied on the way, so that what
            was converted is not kept twice.
        dtype: of the module's floating-point tensors.
        source: where ``tensors`` were read from, to let go of each once it is copied. What is no part of it
            may become the module's own; everything else is copied, so that the module does not change when
            the file does.

    Returns:
        The module, in evaluation mode, not requiring gradients.

    Raises:
        ValueError: a tensor is missing, has the wrong shape, or holds no floating-point numbers where
            weights are wanted; or of some numbers of each that are looked at, one is NaN or infinite.
    """
    with torch.device("meta"):
        module = make()
    wanted = module.state_dict()
    named = _renamed(tensors, wanted.keys())
    _check_fit(wanted, named)
    tensors.clear()
    state = {name: _placed(named.pop(name), place, dtype, source) for name, place in wanted.items()}
    if not begin_finite(state.values()):
        _complain(state, source)
    module.load_state_dict(state, assign=True)
    return module.eval().requires_grad_(False)


def _check_fit(wanted: Mapping[str, Tensor], named: Mapping[str, Tensor]) -> None:
    for name, place in wanted.items():
        if name not in named:
            raise ValueError(f"the weights lack {name!r}")
        if _sides(named[name]) != _sides(place):
            raise ValueError(f"{name!r} is {list(named[name].shape)}, its config says {list(place.shape)}")
        if place.is_floating_point() and not named[name].is_floating_point():
            kind = str(named[name].dtype).removeprefix("torch.")
            raise ValueError(f"{name!r} is of {kind}; weights are floating-point numbers")


def _complain(state: Mapping[str, Tensor], source: MappedTensors | None) -> None:
    """Name weights that are NaN or infinite: as the file has them, or else as the module has, in its type."""
    stored = {} if source is None else {f"{source.prefix}{name}": tensor for name, tensor in source.items()}
    for name, tensor in (*stored.items(), *state.items()):
        check_finite(name, tensor)


def _sides(tensor: Tensor) -> list[int]:
    """The shape, but for sides of one: a convolution of one pixel serves as a linear layer."""
    return [side for side in tensor.shape if side != 1]


def _placed(tensor: Tensor, place: Tensor, dtype: torch.dtype, source: MappedTensors | None) -> Tensor:
    target = dtype if tensor.is_floating_point() else tensor.dtype
    own = source is not None and not source.owns(tensor) and tensor.is_contiguous()
    placed = tensor.reshape(place.shape).to(target, copy=not own)
    if source is not None:
        source.release(tensor)
    return placed.contiguous()


def _renamed(tensors: dict[str, Tensor], wanted: Iterable[str]) -> dict[str, Tensor]:
    known = frozenset(wanted)
    return {name if name in known else _current_name(name, known): tensor for name, tensor in tensors.items()}


def _current_name(name: str, known: frozenset[str]) -> str:
    """The name today's module has for a tensor: legacy attention, and CLIP's prefix that comes and goes."""
    for pattern, replacement in LEGACY_ATTENTION:
        name = pattern.sub(replacement, name)
    candidates = (name, name.removeprefix("text_model."), f"text_model.{name}")
    return next((candidate for candidate in candidates if candidate in known), name)
