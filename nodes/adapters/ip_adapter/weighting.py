"""How much a picture counts from layer to layer: the weight types of ComfyUI's IPAdapter pack.

"Ease in" and the like are sloped over the transformers of a U-Net in the order in which they run, as the
documentation of that pack has it: its NODES.md in words, and https://deepwiki.com/cubiq/ComfyUI_IPAdapter_plus
(4.1, Weight Scheduling) in formulas. "Style transfer" and "composition" are the blocks of InstantStyle (Wang
et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

WeightType = Literal[
    "linear",
    "ease in",
    "ease out",
    "ease in-out",
    "reverse in-out",
    "weak input",
    "weak output",
    "weak middle",
    "strong middle",
    "style transfer",
    "composition",
]
LEAST, WEAK = 0.05, 0.2
SIDES = ("down_blocks", "mid_block", "up_blocks")
"""Input, middle and output, in the order in which they run."""

_SLOPES: dict[str, Callable[[float], float]] = {
    "ease in": lambda done: 1 - done,
    "ease out": lambda done: done,
    "ease in-out": lambda done: 1 - abs(2 * done - 1),
    "reverse in-out": lambda done: abs(2 * done - 1),
}
"""Share of the weight by share of the transformers that ran before."""
_WEAK = {
    "weak input": SIDES[:1],
    "weak middle": SIDES[1:2],
    "weak output": SIDES[2:],
    "strong middle": (SIDES[0], SIDES[2]),
}
"""Sides on which pictures count less."""
BLOCKS = {
    "style transfer": "up_blocks.0.attentions.1",
    "composition": "down_blocks.2.attentions.1",
}
"""The one transformer of SDXL's U-Net that carries style or spatial layout."""


def layer_weights(weight_type: WeightType, layers: Sequence[str]) -> list[float]:
    """By what the weight of a picture is multiplied in each cross-attention.

    Args:
        weight_type: how that differs from layer to layer.
        layers: names of the cross-attentions of diffusers' U-Net, in any order.

    Returns:
        One number a layer, in 0..1; all layers of one transformer have the same.
    """
    transformers = [name.partition(".transformer_blocks.")[0] for name in layers]
    running = sorted(dict.fromkeys(transformers), key=_side)
    return [_weight(weight_type, name, running.index(name) / len(running)) for name in transformers]


def _weight(weight_type: WeightType, transformer: str, done: float) -> float:
    if weight_type in _SLOPES:
        return LEAST + (1 - LEAST) * _SLOPES[weight_type](done)
    if weight_type in BLOCKS:
        return float(transformer == BLOCKS[weight_type])
    return WEAK if SIDES[_side(transformer)] in _WEAK.get(weight_type, ()) else 1.0


def _side(transformer: str) -> int:
    return SIDES.index(transformer.partition(".")[0])
