"""What PEFT and diffusers keep beside the tensors of a LoRA: by how much each change is scaled."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodes.adapters.lora.deltas import Scaling
from nodes.adapters.lora.keys import DENOISER
from nodes.adapters.lora.patterns import MAX_PATTERNS, Pattern
from nodes.weights.header import Header

PEFT_WEIGHTS, PEFT_CONFIG = "adapter_model.safetensors", "adapter_config.json"
METADATA = "lora_adapter_metadata"
"""Under this name diffusers keeps PEFT's settings in a file's header, by component."""
_DENOISERS = ("unet", "transformer")
_ALTERING = ("pissa", "corda", "olora")
"""Ways of PEFT to begin a training that take what the LoRA begins with out of the model's own weights."""
_CONVERTED = (
    "the model's own weights were changed before that training; let peft save it with "
    "path_initial_model_for_weight_conversion"
)
_BY_NAME = f"numbers by name are wanted, {MAX_PATTERNS} at most"
ByPattern = Mapping[Pattern, float]


@dataclass(frozen=True)
class Settings:
    """How the changes of one network are scaled.

    Attributes:
        common: for modules that nothing else is said of.
        alphas: α of modules by their names; the first that fits counts.
        ranks: their ranks, likewise.
    """

    common: Scaling = field(default_factory=Scaling)
    alphas: ByPattern = field(default_factory=dict)
    ranks: ByPattern = field(default_factory=dict)

    def scaling(self, module: str) -> Scaling:
        """How the change of a module is scaled.

        Args:
            module: its name with dots, as the file has it.

        Raises:
            ValueError: it takes too long to tell whether a pattern fits.
        """
        alpha = _first(self.alphas, module, self.common.alpha)
        return Scaling(alpha, _first(self.ranks, module, self.common.rank), self.common.by_root)


def read_settings(weights: Path, header: Header, component: str) -> Settings:
    """The settings of the LoRA of one component: from a file beside its tensors, or from their header.

    Args:
        weights: its safetensors file.
        header: of that file.
        component: ``denoiser``, ``text_encoder``, …

    Raises:
        ValueError: they are no JSON, or not what PEFT writes.
    """
    beside = weights.parent / PEFT_CONFIG
    if weights.name == PEFT_WEIGHTS and beside.is_file():
        return _parsed(_json(beside.read_bytes()))
    stored, given = _json(header.metadata.get(METADATA, "{}")), dict[str, Any]()
    for name in _DENOISERS if component == DENOISER else (component,):
        prefix = f"{name}."
        given |= {key.removeprefix(prefix): value for key, value in stored.items() if key.startswith(prefix)}
    return _parsed(given)


def _json(text: str | bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("they are nested too deeply") from error
    return found if isinstance(found, dict) else {}


def _parsed(given: Mapping[str, Any]) -> Settings:
    """The settings by the names that PEFT has for them."""
    start = given.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(_ALTERING):
        raise _problem("init_lora_weights", start, _CONVERTED)
    alpha = "lora_alpha" if "lora_alpha" in given else "alpha"  # of LoHa and LoKr
    common = Scaling(_number(alpha, given.get(alpha)), _number("r", given.get("r")), _by_root(given))
    return Settings(common, _patterns("alpha_pattern", given), _patterns("rank_pattern", given))


def _by_root(given: Mapping[str, Any]) -> bool:
    value = given.get("use_rslora")
    if value is not None and not isinstance(value, bool):
        raise _problem("use_rslora", value, "true or false is wanted")
    return bool(value)


def _patterns(name: str, given: Mapping[str, Any]) -> ByPattern:
    value = given.get(name) or {}
    if not isinstance(value, dict) or len(value) > MAX_PATTERNS:
        raise _problem(name, value, _BY_NAME)
    numbers = ((text, _number(name, number)) for text, number in value.items())
    return {Pattern(text): number for text, number in numbers if number is not None}


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _problem(name, value, "a number is wanted")
    with suppress(OverflowError):
        return float(value)
    return math.inf


def _problem(name: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"{name} is {reprlib.repr(value)}; {wanted}")


def _first(patterns: ByPattern, module: str, other: float | None) -> float | None:
    return next((value for pattern, value in patterns.items() if pattern.matches(module)), other)
