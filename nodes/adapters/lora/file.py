"""Reading LoRA files: what they are for by their header, and their tensors."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from nodegraph.errors import FileProblem
from nodes.adapters.lora.keys import DENOISER, Name, families_of, read_name
from nodes.weights.finite import check_finite
from nodes.weights.header import Header, UnknownFileError, read_header
from nodes.weights.tensors import read_tensors

PEFT_WEIGHTS, PEFT_CONFIG = "adapter_model.safetensors", "adapter_config.json"
DIFFUSERS_WEIGHTS = "pytorch_lora_weights.safetensors"
METADATA = "lora_adapter_metadata"
"""Under this name diffusers keeps PEFT's settings in a file's header, by component."""
_PROMPT_INPUTS = ("attn2_to_k", "attn2_to_v")
"""Modules of a U-Net that read text embeddings; what goes into them is as wide as those are."""
_OTHER_SCALES = ("use_rslora", "alpha_pattern")
"""Settings of PEFT by which a change is scaled by something else than one α over its rank."""
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
        read_alpha(path, component)  # complains
    families = families_of(known.module for known in names.values() if known.component == DENOISER)
    return LoraFacts(components, widths.pop() if len(widths) == 1 else None, families)


def read_changes(path: Path, component: str) -> Mapping[str, Mapping[str, Tensor]]:
    """The tensors of the changes to one component: by module, its name flattened, and by part.

    Raises:
        FileProblem: it is no LoRA, or holds NaN or infinity.
    """
    file, changes = weights_path(path), dict[str, dict[str, Tensor]]()
    try:
        tensors = read_tensors([file])
    except ValueError as error:
        raise FileProblem(f"LoRA {path.name!r} cannot be read: {error}") from error
    for name, tensor in tensors.items():
        known = _known(path, name)
        if known.component == component:
            _require_finite(path, name, tensor)
            changes.setdefault(known.module, {})[known.part] = tensor
    return changes


def read_alpha(path: Path, component: str) -> float | None:
    """α of the whole file, where its settings name one beside the tensors.

    Raises:
        FileProblem: the settings cannot be read, say something that is no number, or ask for another scale
            than α/rank.
    """
    file = weights_path(path)
    beside = file.parent / PEFT_CONFIG
    if file.name == PEFT_WEIGHTS and beside.is_file():
        settings = _json(path, beside.read_bytes())
        _require_plain_scale(path, settings, "")
        return _number(path, settings.get("lora_alpha"))
    stored = _json(path, _header(path).metadata.get(METADATA, "{}"))
    names = ("unet", "transformer") if component == DENOISER else (component,)
    for name in names:
        _require_plain_scale(path, stored, f"{name}.")
    found = (stored.get(f"{name}.lora_alpha") for name in names)
    return next((alpha for alpha in (_number(path, value) for value in found) if alpha is not None), None)


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


def _json(path: Path, text: str | bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"the settings of LoRA {path.name!r} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _require_plain_scale(path: Path, settings: Mapping[str, Any], prefix: str) -> None:
    """Complain where applying the LoRA by α/rank would be too strong or too weak."""
    asked = next((name for name in _OTHER_SCALES if settings.get(prefix + name)), None)
    if asked is not None:
        shown = reprlib.repr(settings[prefix + asked])
        raise FileProblem(
            f"the settings of LoRA {path.name!r} say {asked} is {shown}, which is not followed here; "
            "one in kohya's layout holds the scale of each change"
        )


def _number(path: Path, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = reprlib.repr(value)
        raise FileProblem(f"the settings of LoRA {path.name!r} say lora_alpha is {shown}; a number is wanted")
    with suppress(OverflowError):
        return float(value)
    return math.inf
