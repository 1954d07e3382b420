"""Deep features of a U-Net, used for several steps (Ma et al. 2024, https://arxiv.org/abs/2312.00858)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nodes.sampling.caching.overriding import overridden
from nodes.sampling.caching.unet import down_pieces, shallow_forward, up_pieces
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.patches import Patch, Run


@dataclass(frozen=True)
class DeepFeatures(Patch):
    """Compute the deep half of a U-Net anew at every ``interval``-th step only (Ma et al. 2024, Sec. 3.3).

    What is kept belongs to one set of prompts, and a step back to more noise computes everything anew.

    Attributes:
        interval: 1 computes it at every step.
        depth: blocks of the way down that are computed at every step, and skip connections less one.
        start_step: the first step from which on features are used again.
        end_step: the step from which on everything is computed again.
    """

    interval: int
    depth: int
    start_step: int = 0
    end_step: int = 1000

    @contextmanager
    def predicting(self, network: Network, run: Run) -> Iterator[Network]:
        """Let the U-Net use what it computed before."""
        caching = _Caching(self, run.module)

        def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
            caching.asked(tuple(conditions), sigma)
            return network(z, timestep, sigma, conditions)

        with overridden({run.module: caching.forward}):
            yield predict


@dataclass
class _Kept:
    """What is kept for one set of prompts."""

    deep: Tensor | None = None
    sigma: float = 0.0
    step: int = -1
    age: int = 0


@dataclass
class _Caching:
    """The U-Net of one run."""

    settings: DeepFeatures
    unet: Any
    kept: dict[Any, _Kept] = field(default_factory=dict)
    now: _Kept = field(default_factory=_Kept)

    def __post_init__(self) -> None:
        self.whole = self.unet.forward
        pieces = up_pieces(self.unet)
        self.depth = min(self.settings.depth, len(pieces) - 1)
        self.boundary = pieces[-(self.depth + 1)].resnet

    def asked(self, prompts: tuple[Condition, ...], sigma: float) -> None:
        """Note what the next forward is for."""
        self.now = self.kept.setdefault(prompts, _Kept())
        rises = sigma > self.now.sigma
        self.now.step, self.now.age, self.now.sigma = self.now.step + 1, self.now.age + 1, sigma
        within = self.settings.start_step <= self.now.step < self.settings.end_step
        if rises or not within or self.now.age >= self.settings.interval:
            self.now.deep = None

    def forward(self, sample: Tensor, timestep: Tensor, **told: Any) -> tuple[Tensor]:
        """In the place of the U-Net's own forward."""
        if self.now.deep is None:
            return self._whole(sample, timestep, told)
        output = shallow_forward(
            self.unet,
            self.now.deep,
            self.depth,
            sample,
            timestep,
            told["encoder_hidden_states"],
            told["added_cond_kwargs"],
            told["down_block_additional_residuals"],
            told["down_intrablock_additional_residuals"],
        )
        return (output,)

    def _whole(self, sample: Tensor, timestep: Tensor, told: dict[str, Any]) -> tuple[Tensor]:
        hook = self.boundary.register_forward_pre_hook(self._keep, prepend=True)
        try:
            output: tuple[Tensor] = self.whole(sample, timestep, **told)
        finally:
            hook.remove()
        return output

    def _keep(self, module: Any, arguments: tuple[Tensor, ...]) -> None:
        """Keep what comes from deeper down, which is followed by the skip connection."""
        skip = self._skip_channels()
        self.now.deep, self.now.age = arguments[0][:, : arguments[0].shape[1] - skip].clone(), 0

    def _skip_channels(self) -> int:
        if not self.depth:
            return int(self.unet.conv_in.out_channels)
        piece = down_pieces(self.unet)[self.depth - 1]
        return int((piece.resnet or piece.scaler).out_channels)
