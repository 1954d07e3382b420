"""What the card of a model recommends.

A card is the ``README.md`` of its folder. The settings that suit it stand in the YAML block it begins with,
under ``inference: parameters:``, by the names that diffusers' pipelines give them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CARD = "README.md"
FENCE = "---"
MOST = 100_000
"""Characters that are looked at; cards are short."""


def recommended_cfg(root: Path) -> float | None:
    """The guidance scale that the card in a model's folder recommends; ``None`` where it says nothing."""
    value = _inference_parameters(root / CARD).get("guidance_scale")
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _inference_parameters(card: Path) -> dict[str, Any]:
    found: Any = _metadata(card)
    for name in ("inference", "parameters"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _metadata(card: Path) -> Any:
    """The YAML block of a card. One that cannot be read recommends nothing: a model works without it."""
    import yaml

    try:
        with card.open(encoding="utf-8") as file:
            text = file.read(MOST)
    except (OSError, UnicodeDecodeError):
        return None
    opening, _, rest = text.partition("\n")
    block, fence, _ = rest.partition(f"\n{FENCE}")
    if opening.strip() != FENCE or not fence:
        return None
    try:
        return yaml.safe_load(block)
    except yaml.YAMLError:
        return None
