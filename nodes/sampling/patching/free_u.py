"""FreeU: backbone against skip connections in a U-Net's decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nodes.sampling.patches import Patch


@dataclass(frozen=True)
class FreeU(Patch):
    """Stronger backbone, weaker low frequencies of the skips (Si et al. 2024, Eq. 4 and 5).

    Stage 1 is the decoder's widest, stage 2 half as wide.

    Attributes:
        b1: backbone factor of stage 1.
        b2: that of stage 2.
        s1: factor of the low frequencies of the skips of stage 1.
        s2: that of stage 2.
        by_features: whether the backbone factor is spread by the local mean of the features, as in the second
            version of the paper, or the same everywhere, as in its first (Si et al. 2023).
    """

    b1: float
    b2: float
    s1: float
    s2: float
    by_features: bool = True

    @contextmanager
    def on_network(self, network: Any) -> Iterator[None]:
        """Work on what enters the decoder's residual blocks while the run lasts."""
        width = network.config.block_out_channels[-1]
        factors = {width: (self.b1, self.s1), width // 2: (self.b2, self.s2)}
        strengthened = _where_strong if self.by_features else _everywhere
        hooks = [
            resnet.register_forward_pre_hook(_scaling(factors, backbone, strengthened))
            for block in network.up_blocks
            for resnet, backbone in zip(block.resnets, _backbone_widths(block), strict=True)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _backbone_widths(block: Any) -> list[int]:
    """Channels of what each residual block takes besides the skip: the block's input, then its own output."""
    first = block.resnets[0].in_channels - _skip_width(block)
    return [first, *(resnet.out_channels for resnet in list(block.resnets)[:-1])]


def _skip_width(block: Any) -> int:
    """Channels of the first skip, which are those of the block's own output in every U-Net of this kind."""
    width: int = block.resnets[0].out_channels
    return width


def _scaling(
    factors: dict[int, tuple[float, float]], backbone: int, strengthened: Callable[[Tensor, float], Tensor]
) -> Callable[[nn.Module, Any], Any]:
    """A hook that scales the two parts of what a residual block is given."""

    def scale(module: nn.Module, arguments: Any) -> Any:
        features, *rest = arguments
        if backbone not in factors:
            return arguments
        own, skip = features[:, :backbone], features[:, backbone:]
        strength, damping = factors[backbone]
        return (torch.cat([strengthened(own, strength), low_frequencies_scaled(skip, damping)], 1), *rest)

    return scale


def _everywhere(features: Tensor, factor: float) -> Tensor:
    """The first half of the channels times ``factor``."""
    own, other = features.tensor_split([features.shape[1] // 2], dim=1)
    return torch.cat([own * factor, other], dim=1)


def _where_strong(features: Tensor, factor: float) -> Tensor:
    """The first half of the channels times 1..``factor``, most where the features are strong on average."""
    mean = features.mean(dim=1, keepdim=True)
    low, high = mean.amin(dim=(2, 3), keepdim=True), mean.amax(dim=(2, 3), keepdim=True)
    weight = (factor - 1) * (mean - low) / (high - low).clamp(min=1e-6) + 1
    own, other = features.tensor_split([features.shape[1] // 2], dim=1)
    return torch.cat([own * weight, other], dim=1)


def low_frequencies_scaled(features: Tensor, factor: float, threshold: int = 1) -> Tensor:
    """Scale the frequencies below ``threshold`` cycles per picture side."""
    spectrum = torch.fft.fftshift(torch.fft.fftn(features.float(), dim=(-2, -1)), dim=(-2, -1))
    height, width = spectrum.shape[-2:]
    rows = slice(height // 2 - threshold, height // 2 + threshold)
    columns = slice(width // 2 - threshold, width // 2 + threshold)
    spectrum[..., rows, columns] *= factor
    filtered: Tensor = torch.fft.ifftn(torch.fft.ifftshift(spectrum, dim=(-2, -1)), dim=(-2, -1)).real
    return filtered.to(features.dtype)
