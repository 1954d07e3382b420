"""Transformers whose blocks after the first are skipped while the first says that little has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from nodes.sampling.caching.overriding import overridden
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.noise_schedule import sigma_at_percent
from nodes.sampling.patches import Patch, Run

BLOCKS = ("transformer_blocks", "single_transformer_blocks")
"""Where diffusers' transformers of Stable Diffusion 3 and FLUX.1 keep their blocks, in order."""

States = tuple[Tensor | None, Tensor]
"""Of the text and of the picture, as blocks take and give them."""


@dataclass(frozen=True)
class FirstBlock(Patch):
    """Skip all blocks but the first where what the first adds is nearly what it added before.

    First-block caching (ParaAttention, Cheng 2024; after TeaCache, Liu et al. 2024, Eq. 6): the relative L1
    distance of the first block's residual stands for that of the output. What is kept belongs to one set of
    prompts.

    Attributes:
        threshold: the distance below which blocks are skipped; 0 skips none.
        start_percent: share of the trained noise schedule done when that begins, 0..1.
        end_percent: share done when it ends.
        longest: how many steps in a row may skip; ``None`` is any number.
    """

    threshold: float
    start_percent: float = 0.0
    end_percent: float = 1.0
    longest: int | None = None

    @contextmanager
    def predicting(self, network: Network, run: Run) -> Iterator[Network]:
        """Let the transformer use what it computed before."""
        start, end = (
            sigma_at_percent(run.schedule, share) for share in (self.start_percent, self.end_percent)
        )
        caching = _Caching(self, blocks_of(run.module))

        def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
            caching.asked(tuple(conditions), may_skip=end <= sigma <= start)
            return network(z, timestep, sigma, conditions)

        with overridden(caching.forwards()):
            yield predict


def blocks_of(transformer: Any) -> list[nn.Module]:
    """All blocks, in order."""
    return [block for name in BLOCKS for block in getattr(transformer, name, ())]


@dataclass
class _Kept:
    """What is kept for one set of prompts: what the first block added, and what all others did."""

    first: Tensor | None = None
    rest: Tensor | None = None
    skipped: int = 0


@dataclass
class _Caching:
    """The blocks of one run."""

    settings: FirstBlock
    blocks: list[nn.Module]
    kept: dict[Any, _Kept] = field(default_factory=dict)
    now: _Kept = field(default_factory=_Kept)
    may_skip: bool = False
    skipping: bool = False
    entered: Tensor | None = None

    def asked(self, prompts: tuple[Condition, ...], *, may_skip: bool) -> None:
        """Note what the next forward is for."""
        self.now = self.kept.setdefault(prompts, _Kept())
        self.may_skip = may_skip and self.settings.longest != self.now.skipped

    def forwards(self) -> dict[nn.Module, Callable[..., States]]:
        """What stands for the blocks' own forwards; a transformer of one block is left alone."""
        if len(self.blocks) == 1:
            return {}
        wrappers = [self._first, *[self._middle] * (len(self.blocks) - 2), self._last]
        return {block: wrap(block.forward) for block, wrap in zip(self.blocks, wrappers, strict=True)}

    def _first(self, own: Callable[..., States]) -> Callable[..., States]:
        def forward(**told: Any) -> States:
            text, picture = own(**told)
            added = picture - told["hidden_states"]
            self.skipping = self.may_skip and self._is_near(added)
            if self.skipping:
                self.now.skipped += 1
            else:
                self.now.first, self.now.skipped, self.entered = added, 0, picture
            return text, picture

        return forward

    def _is_near(self, added: Tensor) -> bool:
        before = self.now.first
        if before is None or self.now.rest is None or before.shape != added.shape:
            return False
        return float((added - before).abs().mean() / before.abs().mean()) < self.settings.threshold

    def _middle(self, own: Callable[..., States]) -> Callable[..., States]:
        def forward(**told: Any) -> States:
            return (told["encoder_hidden_states"], told["hidden_states"]) if self.skipping else own(**told)

        return forward

    def _last(self, own: Callable[..., States]) -> Callable[..., States]:
        def forward(**told: Any) -> States:
            if self.skipping and self.now.rest is not None:
                return told["encoder_hidden_states"], told["hidden_states"] + self.now.rest
            text, picture = own(**told)
            assert self.entered is not None
            self.now.rest = picture - self.entered
            return text, picture

        return forward
