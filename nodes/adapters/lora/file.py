"""Reading LoRA files: what they are for by their header, and their tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from nodegraph.errors import FileProblem
from nodes.adapters.lora.deltas import Parts, Scaling
from nodes.adapters.lora.keys import DENOISER, Name, families_of, read_name
from nodes.adapters.lora.settings import PEFT_WEIGHTS, Settings, read_settings
from nodes.weights.finite import check_finite
from nodes.weights.header import Header, UnknownFileError, read_header
from nodes.weights.tensors import read_tensors

DIFFUSERS_WEIGHTS = "pytorch_lora_weights.safetensors"
_PROMPT_INPUTS = ("attn2_to_k", "attn2_to_v")
"""Modules of a U-Net that read text embeddings; what goes into them is as wide as those are."""
_DOWN_PARTS = ("down", "hada_w1_b")


@dataclass(frozen=True)
class LoraFacts:
    """What the header of a LoRA file tells.

    Attributes:
        components: which networks it changes: ``denoiser``, ``text_encoder``, ``text_encoder_2``, …
        text_width: width of the text embeddings that its U-Net takes; ``None`` where that does not show.
        families: whose denoisers have the modules it changes; ``None`` where that does not show.
    """

    components: frozenset[str]
    text_width: int | None
    families: frozenset[str] | None

    def conflict(self, family: str | None, text_width: int | None) -> str | None:
        """What it is for instead, in words, where it is not for a model of that family and width."""
        if self.families is not None and family is not None and family not in self.families:
            return f"family {' or '.join(sorted(self.families))}"
        if self.text_width is None or text_width in (None, self.text_width):
            return None
        known = _KINDS.get(self.text_width)
        return f"{known} (text width {self.text_width})" if known else f"text width {self.text_width}"


_KINDS = {768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "SDXL", 1280: "SDXL's refiner"}


def weights_path(path: Path) -> Path:
    """The safetensors file of a LoRA, which may be a folder of PEFT or diffusers.

    Raises:
        FileProblem: it is neither.
    """
    if path.is_dir():
        found = (path / name for name in (PEFT_WEIGHTS, DIFFUSERS_WEIGHTS))
        path = next((file for file in found if file.is_file()), path)
    if path.suffix != ".safetensors":
        raise FileProblem(f"LoRA {path.name!r} is not a safetensors file, nor a folder that PEFT has written")
    return path


def read_facts(path: Path) -> LoraFacts:
    """What a LoRA is for.

    Raises:
        FileProblem: it is none.
    """
    header = _header(path)
    _require_tensors(path, header)
    names = {name: _known(path, name) for name in header.shapes}
    widths = {
        header.shapes[name][1]
        for name, known in names.items()
        if known.component == DENOISER
        and known.module.endswith(_PROMPT_INPUTS)
        and known.part in _DOWN_PARTS
        and len(header.shapes[name]) > 1
    }
    components = frozenset(known.component for known in names.values())
    for component in sorted(components):
        settings_of(path, component)  # complains
    families = families_of(known.module for known in names.values() if known.component == DENOISER)
    return LoraFacts(components, widths.pop() if len(widths) == 1 else None, families)


class Change(NamedTuple):
    """What a LoRA does to one module.

    Attributes:
        parts: its tensors.
        scaling: what the settings of the file say of its scale.
    """

    parts: Parts
    scaling: Scaling


def read_changes(path: Path, component: str) -> Mapping[str, Change]:
    """The changes to one component, by module, its name flattened.

    Raises:
        FileProblem: it is no LoRA, holds NaN or infinity, or its settings cannot be followed.
    """
    settings = settings_of(path, component)
    stored, parts = dict[str, str](), dict[str, dict[str, Tensor]]()
    for name, tensor in _tensors(path).items():
        known = _known(path, name)
        if known.component == component:
            _require_finite(path, name, tensor)
            stored[known.module] = known.stored
            parts.setdefault(known.module, {})[known.part] = tensor
    with _following(path):
        return {flat: Change(parts[flat], settings.scaling(name)) for flat, name in stored.items()}


def settings_of(path: Path, component: str) -> Settings:
    """What the file says of the scale of its changes to one component, beside their tensors.

    Raises:
        FileProblem: that cannot be read, or cannot be followed.
    """
    header = _header(path)
    with _following(path):
        return read_settings(weights_path(path), header, component)


@contextmanager
def _following(path: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise FileProblem(f"the settings of LoRA {path.name!r} cannot be followed: {error}") from error


def unfit(path: Path, modules: Iterable[str], known: Mapping[str, str]) -> str | None:
    """The complaint about modules that a network has not; ``None`` where it has them all."""
    missing = [module for module in modules if module not in known]
    if not missing:
        return None
    return f"LoRA {path.name!r} changes {missing[0]!r}, which the model has not: it is for another model"


def _header(path: Path) -> Header:
    try:
        return read_header(weights_path(path))
    except UnknownFileError as error:
        raise FileProblem(f"LoRA {path.name!r} cannot be read: {error}") from error


def _tensors(path: Path) -> Mapping[str, Tensor]:
    try:
        return read_tensors([weights_path(path)])
    except ValueError as error:
        raise FileProblem(f"LoRA {path.name!r} cannot be read: {error}") from error


def _require_tensors(path: Path, header: Header) -> None:
    """Complain where there is nothing that could change a weight."""
    if not header.shapes:
        raise FileProblem(f"LoRA {path.name!r} holds no tensors, so it changes nothing")
    empty = next((name for name, shape in header.shapes.items() if 0 in shape), None)
    if empty is not None:
        raise FileProblem(
            f"LoRA {path.name!r} is of rank 0, so it changes nothing: its tensor {empty!r} is "
            f"{list(header.shapes[empty])}"
        )


def _require_finite(path: Path, name: str, tensor: Tensor) -> None:
    try:
        check_finite(name, tensor)
    except ValueError as error:
        raise FileProblem(f"LoRA {path.name!r} cannot be applied: {error}") from error


def _known(path: Path, name: str) -> Name:
    known = read_name(name)
    if known is None:
        raise FileProblem(f"{path.name!r} is not a LoRA: it holds a tensor {name!r}")
    return known
