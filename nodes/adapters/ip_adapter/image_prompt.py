"""A picture as a prompt, as models carry it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodegraph.errors import InputError
from nodes.adapters.ip_adapter.attention import Asked, PictureAttention, PicturePrompt, rows_of
from nodes.adapters.ip_adapter.weighting import WeightType, layer_weights
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.noise_schedule import sigma_at_percent
from nodes.sampling.patches import Patch, Run
from nodes.types import IPAdapter

CROSS_ATTENTION = ".attn2.processor"


@dataclass(frozen=True, eq=False)
class ImagePrompt(Patch):
    """Cross-attention to a picture, beside that to the text (Ye et al. 2023, Sec. 3.2.2).

    Attributes:
        adapter: the IP-Adapter.
        present: what CLIP says of the pictures, ``[pictures, width]`` or ``[pictures, patches + 1, width]``.
        absent: what the negative side is told instead, likewise.
        weight: how much the pictures count; 1 is as trained.
        start_percent: share of the trained noise schedule done when they begin to count, 0..1.
        end_percent: share done when they cease to count.
        where: where they count, float32 ``[1 or batch, 1, height, width]``; ``None`` is everywhere.
        weight_type: how much they count from layer to layer.
    """

    adapter: IPAdapter
    present: Tensor
    absent: Tensor
    weight: float = 1.0
    start_percent: float = 0.0
    end_percent: float = 1.0
    where: Tensor | None = None
    weight_type: WeightType = "linear"

    @contextmanager
    def predicting(self, network: Network, run: Run) -> Iterator[Network]:
        """Attend to the pictures as well."""
        names, layers = cross_attention_names(run.module), cross_attentions(run.module)
        self._check(layers)
        before, asked = [layer.processor for layer in layers], Asked()
        try:
            for layer, prompt in zip(layers, self._prompts(run, names, asked), strict=True):
                if prompt.weight == 0:
                    continue
                earlier = getattr(layer.processor, "prompts", ())
                layer.processor = PictureAttention((*earlier, prompt))
            yield self._telling(network, run, asked)
        finally:
            for layer, processor in zip(layers, before, strict=True):
                layer.processor = processor

    def _prompts(self, run: Run, names: Sequence[str], asked: Asked) -> list[PicturePrompt]:
        """The pictures as keys and values of every layer, which stay the same for the whole run."""
        weights = layer_weights(self.weight_type, names)
        parameter = next(run.module.parameters())
        mask = None if self.where is None else self.where.to(parameter.device)
        with run.lease(self.adapter.weights) as adapter, torch.no_grad():
            told = (features.to(parameter) for features in (self.present, self.absent))
            sides = [list(adapter.keys_and_values(adapter.tokens(features))) for features in told]
        return [
            PicturePrompt(torch.cat(keys), torch.cat(values), self.weight * share, mask, asked)
            for share, *layer in zip(weights, *sides, strict=True)
            for keys, values in [zip(*layer, strict=True)]
        ]

    def _telling(self, network: Network, run: Run, asked: Asked) -> Network:
        """The network, whose layers are told each time what they are asked."""
        start, end = (
            sigma_at_percent(run.schedule, share) for share in (self.start_percent, self.end_percent)
        )

        def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
            negatives = [condition.negative for condition in conditions]
            counts = end <= sigma <= start
            asked.rows = rows_of(negatives, len(z) // len(conditions), z.device) if counts else None
            asked.size = (z.shape[-2], z.shape[-1])
            return network(z, timestep, sigma, conditions)

        return predict

    def _check(self, layers: Sequence[Any]) -> None:
        widths = tuple(layer.to_q.out_features for layer in layers)
        if widths != self.adapter.widths:
            raise InputError(
                "model",
                f"its IP-Adapter is for {_told(self.adapter.widths)}; the model has {_told(widths)}",
            )


def cross_attention_names(module: Any) -> list[str]:
    """Names of the cross-attentions of a U-Net, in the order in which IP-Adapters count them."""
    return [
        name.removesuffix(".processor") for name in module.attn_processors if name.endswith(CROSS_ATTENTION)
    ]


def cross_attentions(module: Any) -> list[Any]:
    """The cross-attentions themselves."""
    return [module.get_submodule(name) for name in cross_attention_names(module)]


def _told(widths: tuple[int, ...]) -> str:
    kinds = ", ".join(map(str, sorted(set(widths))))
    return f"{len(widths)} cross-attentions of {kinds} channels"
